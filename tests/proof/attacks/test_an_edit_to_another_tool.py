"""An edit that turns a call into one of another tool skips that tool's gate."""

from typing import ClassVar, Literal

from victims import Place, Victim

from crew import Pay
from twelvefold.exceptions import InvalidAnswer
from twelvefold.policy import Risk, at_least
from twelvefold.steps import Step


class Refund(Step):
    risk: ClassVar[Risk] = "low"
    intent: Literal["refund"] = "refund"
    to: str = "ann"


def test_an_edit_cannot_name_another_tool(place: Place) -> None:
    victim = Victim(place, Refund(), classes=Refund | Pay).begin()

    refusal = victim.tried("edit", changes={"intent": "pay", "to": "mallory"})

    victim.expect()
    assert isinstance(refusal, InvalidAnswer)


def test_an_edit_cannot_add_what_the_step_does_not_have(place: Place) -> None:
    victim = Victim(place, Refund(), classes=Refund | Pay).begin()

    refusal = victim.tried("edit", changes={"euros": 1_000_000})

    victim.expect()
    assert isinstance(refusal, InvalidAnswer)


def test_the_edit_of_somebody_who_may_not_decide_runs_nothing(place: Place) -> None:
    victim = Victim(place, Pay(to="ann")).begin()

    refusal = victim.tried("edit", changes={"to": "eve"}, by="eve")

    victim.expect()
    assert refusal is not None


def test_an_edit_does_not_run_before_as_many_agreed_as_the_step_needs(place: Place) -> None:
    """One of two edits: the other has not seen these arguments."""
    victim = Victim(place, Pay(to="ann"), by=at_least(2, "anna", "ben")).begin()

    victim.answer("edit", changes={"to": "mallory"}, by="anna")

    victim.expect()
    assert victim.asked()["args"] == {"to": "mallory"}


def test_a_yes_given_before_an_edit_does_not_count_for_what_it_made(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), by=at_least(3, "anna", "ben", "cleo")).begin()
    victim.answer("approve", by="cleo")
    victim.answer("edit", changes={"to": "mallory"}, by="anna")

    victim.answer("approve", by="ben")
    victim.expect()

    victim.answer("approve", by="cleo")
    victim.expect({"to": "mallory"})
