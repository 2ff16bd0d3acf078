"""An edit makes another step of it: who decides that one is asked anew."""

from typing import Any, ClassVar, Literal

from victims import Place, Victim

from twelvefold.directory import Directory
from twelvefold.effects import Approve, run
from twelvefold.policy import Risk, at_least, role
from twelvefold.steps import Step

DIRECTORY = Directory(roles={"ops": ["anna", "ben"]}, people=["anna", "ben"], version="1")
BOTH = at_least(2, role("ops"))


class Refund(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["refund"] = "refund"
    euros: int


def by_amount(victim: Victim, chosen: Any) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    return Approve(chosen.step, by="anna" if chosen.step.euros < 100 else BOTH)


def victim_in(place: Place) -> Victim:
    return Victim(place, Refund(euros=20), carry_out=by_amount, directory=DIRECTORY).begin()


def test_who_may_refund_little_makes_no_large_refund_of_it(place: Place) -> None:
    victim = victim_in(place)

    victim.answer("edit", by="anna", changes={"euros": 1_000_000})
    victim.expect()

    victim.answer("approve", by="ben")

    victim.expect({"euros": 1_000_000})


def test_an_edit_to_what_its_editor_decides_alone_runs_once_and_asks_nobody(place: Place) -> None:
    victim = victim_in(place)

    victim.answer("edit", by="anna", changes={"euros": 30})

    victim.expect({"euros": 30})
    assert [e.data.get("by") for e in victim.events("contact_closed")] == ["anna", "anna"]
    assert victim.inbox() == []
