"""A decline that runs the tool all the same: "no" is no, however often the agent asks itself."""

from typing import Any

from victims import Place, Victim, gated, holds

from crew import Pay
from twelvefold.effects import run


def test_a_denied_step_does_not_run(place: Place) -> None:
    victim = Victim(place, Pay(to="mallory")).begin()

    victim.answer("deny", comment="not him")
    victim.redeployed()

    victim.expect()
    assert victim.state().by_id("s1").error == "denied by anna: not him"


def test_code_that_takes_no_for_an_answer_and_runs_anyway_is_stopped(place: Place) -> None:
    """The bug itself: an agent that runs whatever was answered, not what was approved."""

    def careless(victim: Victim, chosen: Any) -> Any:
        asked = any(c.step == chosen.id for c in victim.state().contacts.values())
        return run(victim.tool, chosen.step) if asked else gated(victim, chosen)

    victim = Victim(place, Pay(to="mallory"), carry_out=careless).begin()

    victim.answer("deny", comment="not him")
    victim.redeployed()

    victim.expect()


def test_of_two_calls_in_one_turn_only_the_approved_one_runs(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), Pay(to="mallory")).begin()

    victim.answer("deny", of="t.s2.1", comment="not him")
    victim.answer("approve", of="t.s1.1")

    victim.expect({"to": "ann"})
    holds(victim.state().by_id("s2").status == "denied", "the refused call was not refused")
