"""An answer without a decision, or with one that nobody knows, is no yes."""

import asyncio
from typing import Any

import pytest
from victims import Place, Victim

from crew import Pay
from twelvefold.exceptions import InvalidAnswer
from twelvefold.store import Append
from twelvefold.thread import Draft

NOTHING: list[Any] = [
    None,
    "",
    " ",
    False,
    True,
    0,
    1,
    "yes",
    "ok",
    "APPROVE",
    "approved",
    "reject",
]


@pytest.mark.parametrize("decision", NOTHING, ids=repr)
def test_what_is_no_decision_approves_nothing(place: Place, decision: Any) -> None:
    victim = Victim(place, Pay(to="mallory")).begin()

    refusal = victim.tried(decision, value="yes", comment="yes", by="anna")

    victim.expect()
    assert isinstance(refusal, InvalidAnswer)
    assert [row.id for row in victim.inbox()] == ["s1.1"]


@pytest.mark.parametrize("comment", [None, "", "  \n"])
def test_a_no_without_a_reason_is_no_yes_either(place: Place, comment: str | None) -> None:
    victim = Victim(place, Pay(to="mallory")).begin()

    refusal = victim.tried("deny", comment=comment)

    victim.expect()
    assert isinstance(refusal, InvalidAnswer)


@pytest.mark.parametrize("changes", [None, {}, {"to": None}, {"to": 7}])
def test_an_edit_that_says_nothing_valid_is_no_yes(place: Place, changes: Any) -> None:
    victim = Victim(place, Pay(to="mallory")).begin()

    refusal = victim.tried("edit", changes=changes)

    victim.expect()
    assert isinstance(refusal, InvalidAnswer)


def test_a_contact_that_ended_in_no_way_we_know_is_no_yes(place: Place) -> None:
    """An outcome of a later version, in the log of an earlier one."""
    victim = Victim(place, Pay(to="mallory")).begin()
    data = {"contact": "s1.1", "step": "s1", "outcome": "approved_in_part", "by": "anna"}
    closed = Draft("contact_closed", data, place.clock(), key="closed:s1.1")
    asyncio.run(place.store.commit(Append("t", [closed], wake=True)))

    victim.go_on()

    victim.expect()
