"""A yes of somebody who was never asked, or who was removed before the tool began."""

import asyncio
from typing import Any

import pytest
from victims import Place, Victim

from crew import Meddled, Pay
from twelvefold.directory import Directory
from twelvefold.exceptions import NotAllowed
from twelvefold.policy import at_least, role

EVERYBODY = ("anna", "ben", "cleo", "eve")


class Office:
    """A directory that changes while an agent waits."""

    def __init__(self, *ops: str, people: tuple[str, ...] = EVERYBODY) -> None:
        self.ops, self.people, self.version = ops, people, 1

    def __call__(self, tenant: str) -> Directory:
        return Directory({"ops": self.ops}, people=self.people, version=str(self.version))

    def now(self, *ops: str, people: tuple[str, ...] = EVERYBODY) -> None:
        self.ops, self.people, self.version = ops, people, self.version + 1


@pytest.mark.parametrize("who", ["eve", "", "anna ", "anna\u200b", "\u0430nna", "role:ops", "ops"])
def test_the_yes_of_a_stranger_runs_nothing(place: Place, who: str) -> None:
    victim = Victim(place, Pay(to="ann")).begin()

    refusal = victim.tried("approve", by=who)

    victim.expect()
    assert isinstance(refusal, NotAllowed)


@pytest.mark.parametrize("decision", ["edit", "deny"])
def test_a_stranger_may_neither_edit_nor_deny(place: Place, decision: str) -> None:
    victim = Victim(place, Pay(to="ann")).begin()
    more: dict[str, Any] = {"changes": {"to": "eve"}} if decision == "edit" else {"comment": "no"}

    refusal = victim.tried(decision, by="eve", **more)
    victim.answer("approve")

    victim.expect({"to": "ann"})
    assert isinstance(refusal, NotAllowed)


def test_whoever_lost_the_role_since_it_was_asked_may_not_decide(place: Place) -> None:
    office = Office("anna", "ben")
    victim = Victim(place, Pay(to="ann"), by=role("ops"), directory=office).begin()
    office.now("ben")

    refusal = victim.tried("approve", by="anna")

    victim.expect()
    assert isinstance(refusal, NotAllowed)


@pytest.mark.parametrize("by", [role("ops"), "anna"])
def test_a_yes_of_somebody_removed_before_the_run_runs_nothing(place: Place, by: Any) -> None:
    office = Office("anna", "ben")
    victim = Victim(place, Pay(to="ann"), by=by, directory=office).begin()
    asyncio.run(victim.app.answer("t.s1.1", "approve", by="anna"))
    office.now("ben", people=("ben", "cleo"))

    victim.again(by=role("ops")).go_on()

    victim.expect()
    [voided] = victim.events("contact_voided")
    assert voided.data["gone"] == ["anna"]


def test_a_vote_of_somebody_removed_since_does_not_help_a_quorum(place: Place) -> None:
    office = Office("anna", "ben", "cleo")
    victim = Victim(place, Pay(to="ann"), by=at_least(2, role("ops")), directory=office).begin()
    victim.answer("approve", by="anna")
    office.now("ben", "cleo")

    victim.answer("approve", by="ben")
    victim.expect()

    victim.answer("approve", by="cleo")
    victim.expect({"to": "ann"})


def test_somebody_removed_after_an_edit_has_approved_nothing(place: Place) -> None:
    office = Office("anna", "ben")
    victim = Victim(place, Pay(to="ann"), by=role("ops"), directory=office).begin()
    edit = victim.app.answer("t.s1.1", "edit", by="anna", changes={"to": "mallory"})
    asyncio.run(edit)
    office.now("ben")

    victim.go_on()

    victim.expect()


def test_a_removal_between_the_judging_and_the_commit_of_a_yes_runs_nothing(place: Place) -> None:
    office = Office("anna", "ben")
    victim = Victim(place, Pay(to="ann"), by=role("ops"), directory=office).begin()

    async def removed() -> None:
        office.now("ben")

    late = victim.again(store=Meddled(place.store, "contact_answered", removed))
    asyncio.run(late.app.answer("t.s1.1", "approve", by="anna"))
    victim.go_on()

    victim.expect()
