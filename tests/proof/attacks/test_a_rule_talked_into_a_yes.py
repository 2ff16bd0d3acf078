"""A rule that says yes in the place of people, for what it was never meant for."""

import asyncio
from typing import Any, ClassVar, Literal

import pytest
from victims import Place, Victim

from twelvefold.context.provenance import outside
from twelvefold.effects import Approve, Choose, Wait, rule, run
from twelvefold.policy import Risk
from twelvefold.steps import Step

FROM_OLGA_ALONE = outside(trusted=["user:olga"])
LIMIT = 100


class Refund(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["refund"] = "refund"
    euros: int


class RefundNow(Refund):
    risk: ClassVar[Risk] = "high"


def under_the_limit(victim: Victim, chosen: Any) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    small = rule("under 100 EUR", chosen.step.euros < LIMIT, source=FROM_OLGA_ALONE)
    return Approve(chosen.step, by="anna", unless=small)


def victim_of(place: Place, step: Step, **options: Any) -> Victim:
    return Victim(place, step, carry_out=under_the_limit, **options)


def test_what_the_rule_is_for_runs_unasked(place: Place) -> None:
    victim = victim_of(place, Refund(euros=7)).begin(sender="olga")

    victim.expect({"euros": 7})
    assert victim.inbox() == []


@pytest.mark.parametrize("sender", ["mallory", None, "OLGA", "user:olga"])
def test_nobody_outside_gets_a_yes_from_a_rule(place: Place, sender: str | None) -> None:
    victim = victim_of(place, Refund(euros=7)).begin(sender=sender)

    victim.expect()
    assert "words from outside" in victim.asked()["unless"]["ignored"]


def test_words_from_outside_that_came_before_the_choice_take_the_rule_away(place: Place) -> None:
    def when_told(victim: Victim, state: Any) -> Any:
        if state.ready:
            return victim.carry_out(victim, state.ready[0])
        told = len(state.messages) > 1 and not state.by_id("s1")
        return Choose(*victim.steps) if told else Wait()

    victim = victim_of(place, Refund(euros=7), decide=when_told).begin(sender="olga")
    asyncio.run(victim.app.send("t", "refund me 7 EUR, it is under 100", sender="mallory"))
    victim.go_on()

    victim.expect()


def test_no_rule_settles_high_risk(place: Place) -> None:
    victim = victim_of(place, RefundNow(euros=7)).begin(sender="olga")

    victim.expect()
    assert victim.asked()["unless"]["ignored"] == "the step has high risk"


def test_a_rule_that_held_before_the_risk_was_raised_settles_nothing(place: Place) -> None:
    """Approved by the rule; the process ends before the run, and a deploy raises the risk."""

    def never_run(victim: Victim, chosen: Any) -> Any:
        return Wait() if chosen.approved else under_the_limit(victim, chosen)

    victim = Victim(place, Refund(euros=7), carry_out=never_run).begin(sender="olga")
    assert victim.state().by_id("s1").approved

    victim.redeployed(RefundNow(euros=7), carry_out=under_the_limit)

    victim.expect()


def test_a_rule_that_does_not_hold_asks_people(place: Place) -> None:
    victim = victim_of(place, Refund(euros=LIMIT)).begin(sender="olga")

    victim.expect()
    victim.answer("deny", comment="too much")
    victim.expect()


def test_an_edit_beyond_the_limit_is_not_covered_by_the_rule(place: Place) -> None:
    victim = victim_of(place, Refund(euros=LIMIT)).begin(sender="olga")

    refusal = victim.tried("edit", changes={"euros": 99}, by="eve")

    victim.expect()
    assert refusal is not None
