"""Four eyes: whoever asked for a step, or made it what it is, is no second pair of eyes."""

import asyncio
from typing import Any

import pytest
from victims import Place, Victim

from crew import Errand, Pay
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Choose, Delegate, Wait, run
from twelvefold.exceptions import NotAllowed
from twelvefold.policy import at_least, not_an_initiator, role

DIRECTORY = Directory(
    roles={"ops": ["anna", "ben", "cleo"]},
    addresses={"anna": {"email": "anna@example.com"}},
    people=["anna", "ben", "cleo"],
    version="1",
)
FOUR_EYES = not_an_initiator(role("ops"))


def victim_of(place: Place, by: Any = FOUR_EYES) -> Victim:
    return Victim(place, Pay(to="ann"), by=by, directory=DIRECTORY)


@pytest.mark.parametrize("sender", ["anna", "ANNA", "anna@example.com"])
@pytest.mark.parametrize("who", ["anna", "Anna@Example.com"])
def test_whoever_asked_for_a_step_does_not_approve_it(place: Place, sender: str, who: str) -> None:
    victim = victim_of(place).begin(sender=sender)

    refusal = victim.tried("approve", by=who)

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_somebody_else_approves_it(place: Place) -> None:
    victim = victim_of(place).begin(sender="anna")

    victim.answer("approve", by="ben")

    victim.expect({"to": "ann"})


def test_whoever_edits_a_step_does_not_approve_what_they_made_of_it(place: Place) -> None:
    victim = victim_of(place).begin(sender="anna")
    victim.answer("edit", by="ben", changes={"to": "ben"})
    victim.expect()

    refusals = [victim.tried("approve", by=who) for who in ("ben", "anna")]
    victim.expect()

    victim.answer("approve", by="cleo")
    victim.expect({"to": "ben"})
    assert all(isinstance(refusal, NotAllowed) for refusal in refusals)


def test_one_who_asked_later_in_the_same_thread_counts_as_one_who_asked(place: Place) -> None:
    def paid_when_told(victim: Victim, state: Any) -> Any:
        if state.ready:
            return victim.carry_out(victim, state.ready[0])
        return (
            Choose(*victim.steps) if len(state.messages) > 1 and not state.by_id("s1") else Wait()
        )

    victim = Victim(place, Pay(to="ben"), by=FOUR_EYES, decide=paid_when_told, directory=DIRECTORY)
    victim.begin(sender="anna")
    asyncio.run(victim.app.send("t", "and pay me", sender="ben"))
    victim.go_on()

    refusals = [victim.tried("approve", by=who) for who in ("anna", "ben")]

    victim.expect()
    assert all(isinstance(refusal, NotAllowed) for refusal in refusals)


def test_an_initiator_is_not_one_of_two(place: Place) -> None:
    victim = victim_of(place, not_an_initiator(at_least(2, role("ops")))).begin(sender="anna")
    victim.tried("approve", by="anna")

    victim.answer("approve", by="ben")
    victim.expect()

    victim.answer("approve", by="cleo")
    victim.expect({"to": "ann"})


def test_a_task_handed_to_another_agent_does_not_hide_who_asked(place: Place) -> None:
    def parent(_: Any, state: Any) -> Any:
        if state.ready:
            return Delegate(state.ready[0].step, "child", "pay ann")
        return Wait() if state.by_id("s1") else Choose(Errand())

    def child(_: Any, state: Any) -> Any:
        for chosen in state.ready:
            if chosen.approved:
                return run(victim.tool, chosen.step)
            return Approve(chosen.step, by=FOUR_EYES)
        return Wait() if state.by_id("s1") else Choose(Pay(to="ann"))

    victim = victim_of(place)
    agents = [Agent("bot", parent, Errand, owner="olga"), Agent("child", child, Pay, owner="olga")]
    victim.app = App(agents, store=place.store, directory=DIRECTORY, clock=place.clock)
    victim.begin(sender="anna")

    refusal = victim.tried("approve", of="t.s1.s1.1", by="anna")

    victim.expect()
    assert isinstance(refusal, NotAllowed)
