"""A place among those who decide is passed on: to oneself, by a stranger, or twice."""

import asyncio
from typing import Any

import pytest
from victims import Place, Victim, quiet

from crew import Pay
from twelvefold.directory import Directory
from twelvefold.exceptions import NotAllowed
from twelvefold.policy import all_of, at_least, not_an_initiator, role

DIRECTORY = Directory(
    roles={"ops": ["anna", "ben"], "finance": ["anna", "cleo"]},
    addresses={"anna": {"email": "anna@example.com"}},
    people=["anna", "ben", "cleo", "dora", "olga", "eve"],
    version="1",
)


def victim_of(place: Place, by: Any, sender: str | None = None) -> Victim:
    victim = Victim(place, Pay(to="ann"), by=by, directory=DIRECTORY)
    return victim.begin(sender=sender)


def passed_on(victim: Victim, *, by: str, to: str, instead_of: str = "", **more: Any) -> None:
    quiet(victim.app.reassign("t.s1.1", by=by, to=to, instead_of=instead_of, **more))
    victim.go_on()


@pytest.mark.parametrize("instead_of", ["", "anna", "eve", "ben"])
def test_a_stranger_gets_no_place_by_asking_for_it(place: Place, instead_of: str) -> None:
    victim = victim_of(place, "anna")

    passed_on(victim, by="eve", to="eve", instead_of=instead_of)
    refusal = victim.tried("approve", by="eve")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_whoever_asked_gets_no_place_under_four_eyes(place: Place) -> None:
    victim = victim_of(place, not_an_initiator(role("ops")), sender="dora")

    passed_on(victim, by="ben", to="dora")
    victim.tried("approve", by="dora")

    victim.expect()


def test_the_owner_who_asked_does_not_pick_who_decides(place: Place) -> None:
    victim = victim_of(place, not_an_initiator(role("ops")), sender="olga")

    passed_on(victim, by="olga", to="eve", instead_of="ben")
    victim.tried("approve", by="eve")

    victim.expect()


def test_an_initiator_does_not_pass_on_a_place_that_does_not_count(place: Place) -> None:
    victim = victim_of(place, not_an_initiator(role("ops")), sender="anna")

    passed_on(victim, by="anna", to="eve")
    victim.tried("approve", by="eve")

    victim.expect()


def test_whoever_gave_a_place_away_does_not_vote_through_a_role(place: Place) -> None:
    victim = victim_of(place, at_least(2, role("ops")))
    passed_on(victim, by="anna", to="dora")

    victim.answer("approve", by="dora")
    refusal = victim.tried("approve", by="anna")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


def test_a_place_is_not_given_away_after_its_vote(place: Place) -> None:
    """Else one place would be two votes."""
    victim = victim_of(place, at_least(2, "anna", "ben"))
    victim.answer("approve", by="anna")

    passed_on(victim, by="anna", to="eve")
    victim.tried("approve", by="eve")

    victim.expect()


def test_a_place_is_not_given_to_somebody_who_has_one(place: Place) -> None:
    """By another name of theirs: two places, one person."""
    victim = victim_of(place, at_least(2, "anna", "ben"))

    passed_on(victim, by="ben", to="Anna@Example.com")
    for name in ("anna", "anna@example.com"):
        victim.tried("approve", by=name)

    victim.expect()


def test_two_places_that_one_person_was_given_are_one_vote(place: Place) -> None:
    victim = victim_of(place, at_least(2, "anna", "ben"))
    passed_on(victim, by="anna", to="dora")
    passed_on(victim, by="ben", to="dora")

    victim.tried("approve", by="dora")

    victim.expect()


def test_two_policies_are_not_met_by_a_place_in_one(place: Place) -> None:
    victim = victim_of(place, all_of(role("ops"), role("finance")))
    passed_on(victim, by="ben", to="dora")

    victim.answer("approve", by="dora")

    victim.expect()


def test_a_place_does_not_pass_to_somebody_the_directory_does_not_know(place: Place) -> None:
    victim = victim_of(place, "anna")

    passed_on(victim, by="anna", to="nobody")
    victim.tried("approve", by="nobody")

    victim.expect()


def test_a_channel_that_proves_too_little_passes_nothing_on(place: Place) -> None:
    victim = victim_of(place, "anna")

    passed_on(victim, by="anna", to="eve", channel="sms", assurance="sms")
    victim.tried("approve", by="eve")

    victim.expect()


def test_a_yes_and_a_passing_on_in_one_instant_are_not_two_votes(place: Place) -> None:
    victim = victim_of(place, at_least(2, "anna", "ben"))

    async def at_once() -> None:
        vote = victim.app.answer("t.s1.1", "approve", by="anna")
        given = victim.app.reassign("t.s1.1", by="anna", to="eve")
        await asyncio.gather(vote, given, return_exceptions=True)

    asyncio.run(at_once())
    victim.tried("approve", by="eve")

    victim.expect()
