"""A message ("stop, wrong tag") that crosses a yes: asked so, the yes comes too late."""

import asyncio
from typing import Any

from victims import Place, Victim

from crew import Meddled, Pay
from twelvefold.effects import Approve, Settle, run
from twelvefold.exceptions import Conflict
from twelvefold.policy import at_least


def withdrawing(victim: Victim, chosen: Any) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    return Approve(chosen.step, by=victim.by, withdraw_on_message=True)


def victim_of(place: Place, by: Any = "anna") -> Victim:
    return Victim(place, Pay(to="mallory"), by=by, carry_out=withdrawing).begin()


def test_a_yes_after_the_message_runs_nothing_though_nothing_noticed_it_yet(place: Place) -> None:
    victim = victim_of(place)
    asyncio.run(victim.app.send("t", "stop, not him"))

    refusal = victim.tried("approve", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)


def test_a_message_between_the_judging_and_the_commit_of_a_yes_counts(place: Place) -> None:
    victim = victim_of(place)
    sent: list[int] = []

    async def stop() -> None:
        if not sent:
            sent.append(1)
            await victim.app.send("t", "stop, not him")

    late = victim.again(store=Meddled(place.store, "contact_answered", stop))
    refusal = late.tried("approve", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)


def test_a_message_between_two_yeses_takes_back_what_they_were_to(place: Place) -> None:
    victim = victim_of(place, by=at_least(2, "anna", "ben"))
    victim.answer("approve", by="anna")
    asyncio.run(victim.app.send("t", "stop, not him"))

    refusal = victim.tried("approve", by="ben", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)


def test_a_message_right_before_the_start_of_the_tool_is_not_overrun(place: Place) -> None:
    """The yes was complete, and nothing has begun: the decision to run is made again, with the
    message in view."""
    victim = victim_of(place)
    asyncio.run(victim.app.answer("t.s1.1", "approve", by="anna"))
    sent: list[int] = []

    async def stop() -> None:
        if not sent:
            sent.append(1)
            await victim.app.send("t", "stop, not him")

    def heeding(victim: Victim, chosen: Any) -> Any:
        return withdrawing(victim, chosen) if len(victim.state().messages) < 2 else _denied(chosen)

    victim.again(store=Meddled(place.store, "tool_started", stop), carry_out=heeding).go_on()

    victim.expect()


def _denied(chosen: Any) -> Any:
    return Settle(chosen.step, "not run: a message came first")
