"""A yes that is applied to whatever waits by now, not to what was on the screen."""

import pytest
from victims import Place, Victim

from crew import Pay
from twelvefold.exceptions import Conflict, UnknownContact, UnknownThread
from twelvefold.policy import at_least


def test_a_yes_names_its_contact_and_runs_no_other(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), Pay(to="ben")).begin()

    victim.answer("approve", of="t.s2.1")

    victim.expect({"to": "ben"})
    assert [row.id for row in victim.inbox()] == ["s1.1"]


def test_a_yes_to_a_closed_question_does_not_slip_to_the_next(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), Pay(to="mallory")).begin()
    victim.answer("deny", of="t.s1.1", comment="no")

    refusal = victim.tried("approve", of="t.s1.1")

    victim.expect()
    assert isinstance(refusal, Conflict)


def test_a_yes_from_a_screen_that_shows_other_arguments_is_refused(place: Place) -> None:
    victim = Victim(place, Pay(to="mallory")).begin()

    refusal = victim.tried("approve", digest="0" * 64)

    victim.expect()
    assert isinstance(refusal, Conflict)


def test_a_yes_from_a_page_that_was_open_during_an_edit_is_refused(place: Place) -> None:
    """The step was edited and is asked anew; the old page still has its button."""
    victim = Victim(place, Pay(to="ann"), by=at_least(2, "anna", "ben")).begin()
    old, seen = victim.open_contact(), victim.asked()["digest"]
    victim.answer("edit", changes={"to": "mallory"}, by="anna")

    told = [
        victim.tried("approve", of=old, digest=seen, by="ben"),
        victim.tried("approve", digest=seen, by="ben"),
    ]

    victim.expect()
    assert all(isinstance(refusal, Conflict) for refusal in told)


@pytest.mark.parametrize("name", ["t.s1", "t.s2.1", "t.", "u.s1.1", "t.s1.1.1"])
def test_a_yes_to_no_contact_decides_nothing(place: Place, name: str) -> None:
    victim = Victim(place, Pay(to="mallory")).begin()

    refusal = victim.tried("approve", of=name)

    victim.expect()
    assert isinstance(refusal, UnknownContact | UnknownThread)
