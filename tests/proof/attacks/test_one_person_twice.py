"""One person who votes twice, under two names or on two channels, is no quorum."""

from typing import Any

import pytest
from victims import Place, Victim

from crew import Pay
from twelvefold.directory import Directory
from twelvefold.exceptions import Conflict
from twelvefold.policy import Policy, Role, all_of, at_least, role

DIRECTORY = Directory(
    roles={"ops": ["anna", "ben"], "finance": ["anna", "cleo"]},
    addresses={"anna": {"email": "anna@example.com", "slack": "U0ANNA"}},
    people=["anna", "ben", "cleo"],
    version="1",
)


def victim_of(place: Place, by: Any, **options: Any) -> Victim:
    return Victim(place, Pay(to="ann"), by=by, directory=DIRECTORY, **options).begin()


@pytest.mark.parametrize("second", ["anna", "ANNA", "Anna@example.com", "u0anna"])
def test_two_clicks_of_one_person_are_one_vote(place: Place, second: str) -> None:
    victim = victim_of(place, at_least(2, "anna", "ben"))
    victim.answer("approve", by="anna")

    refusal = victim.tried("approve", by=second, channel="slack")

    victim.expect()
    assert isinstance(refusal, Conflict)


@pytest.mark.parametrize("names", [("anna", "anna@example.com"), ("anna", "ANNA", "U0ANNA")])
def test_a_policy_that_names_one_person_twice_does_not_count_them_twice(
    place: Place, names: tuple[str, ...]
) -> None:
    victim = victim_of(place, at_least(2, *names, "ben"))

    for name in names:
        victim.tried("approve", by=name)
    victim.expect()

    victim.answer("approve", by="ben")
    victim.expect({"to": "ann"})


def test_a_person_with_two_roles_is_one_person(place: Place) -> None:
    victim = victim_of(place, at_least(2, role("ops"), role("finance")))

    victim.answer("approve", by="anna")

    victim.expect()


def test_a_person_and_their_role_are_one_person(place: Place) -> None:
    victim = victim_of(place, Policy(("anna", Role("ops")), 2))

    victim.answer("approve", by="anna")

    victim.expect()


def test_each_of_two_policies_has_to_be_met(place: Place) -> None:
    """One vote may meet both where somebody is in both: that is what all-of means. A vote of
    somebody who is in one does not."""
    victim = victim_of(place, all_of(role("ops"), role("finance")))

    victim.answer("approve", by="ben")
    victim.expect()

    victim.answer("approve", by="cleo")
    victim.expect({"to": "ann"})


def test_names_that_differ_in_case_alone_are_one_person_without_a_directory(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), by=at_least(2, "anna", "ben")).begin()
    victim.answer("approve", by="anna")

    refusal = victim.tried("approve", by="Anna")

    victim.expect()
    assert refusal is not None
