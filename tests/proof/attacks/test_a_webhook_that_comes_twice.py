"""A webhook that is delivered twice, or answered twice, does its work once."""

import asyncio
from typing import Any

import pytest
from victims import Place, Victim

from crew import Look, Pay
from twelvefold.effects import Choose, Wait, run
from twelvefold.exceptions import AlreadyDecided, Conflict


def look_per_message(victim: Victim, state: Any) -> Any:
    if state.ready:
        return run(victim.tool, state.ready[0].step)
    messages = len(state.messages)
    return Choose(Look(at=str(messages))) if len(state.all(Look)) < messages else Wait()


def test_a_message_that_is_delivered_twice_is_one_message(place: Place) -> None:
    victim = Victim(place, Look(), decide=look_per_message).begin()

    for _ in range(3):
        asyncio.run(victim.app.send("t", "look", key="delivery 7"))
        victim.go_on()

    victim.expect({"at": "1"}, {"at": "2"})


def test_deliveries_of_one_instant_are_one_message(place: Place) -> None:
    victim = Victim(place, Look(), decide=look_per_message).begin()

    async def at_once() -> None:
        same = [victim.app.send("t", "look", key="delivery 7") for _ in range(10)]
        await asyncio.gather(*same)

    asyncio.run(at_once())
    victim.go_on()

    victim.expect({"at": "1"}, {"at": "2"})


def test_a_launch_that_is_delivered_twice_is_one_thread(place: Place) -> None:
    victim = Victim(place, Look(), decide=look_per_message).begin()

    asyncio.run(victim.app.launch("bot", "go", thread_id="t"))
    with pytest.raises(Conflict):
        asyncio.run(victim.app.launch("bot", "something else", thread_id="t"))
    victim.go_on()

    victim.expect({"at": "1"})


def test_a_button_that_is_delivered_twice_runs_once(place: Place) -> None:
    victim = Victim(place, Pay(to="ann")).begin()

    told = [victim.tried("approve", of="t.s1.1") for _ in range(3)]

    victim.expect({"to": "ann"})
    assert [type(refusal) for refusal in told] == [type(None), AlreadyDecided, AlreadyDecided]
