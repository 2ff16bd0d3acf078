"""Two people say yes in the same instant: one of them decides, and the tool runs once."""

import asyncio
from typing import Any

from victims import Place, Victim

from crew import Meddled, Pay
from twelvefold.exceptions import Conflict
from twelvefold.loop import advance
from twelvefold.policy import at_least
from twelvefold.store import Ref

PEOPLE = ("anna", "ben", "cleo", "dora")


def at_once(*verbs: Any) -> list[Any]:
    async def gathered() -> list[Any]:
        return await asyncio.gather(*verbs, return_exceptions=True)

    return asyncio.run(gathered())


def test_of_many_yeses_in_one_instant_one_decides(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), by=PEOPLE).begin()

    told = at_once(*(victim.app.answer("t.s1.1", "approve", by=who) for who in PEOPLE))
    victim.go_on()

    victim.expect({"to": "ann"})
    assert sorted(type(one).__name__ for one in told) == 3 * ["AlreadyDecided"] + ["NoneType"]


def test_a_yes_and_a_no_in_one_instant_are_not_both_obeyed(place: Place) -> None:
    """The yes lands between the judging of the no and its commit: the no is told so."""
    victim = Victim(place, Pay(to="ann"), by=PEOPLE).begin()

    async def first() -> None:
        if victim.state().open_contacts:
            await victim.app.answer("t.s1.1", "approve", by="anna")

    late = victim.again(store=Meddled(place.store, "contact_answered", first))
    refusal = late.tried("deny", by="ben", of="t.s1.1", comment="no")

    victim.expect({"to": "ann"})
    assert isinstance(refusal, Conflict)


def test_two_votes_of_a_quorum_in_one_instant_are_both_counted_once(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"), by=at_least(2, *PEOPLE)).begin()

    at_once(*(victim.app.answer("t.s1.1", "approve", by=who) for who in PEOPLE))
    victim.go_on()

    victim.expect({"to": "ann"})


def test_two_advances_that_saw_the_same_yes_start_one_run(place: Place) -> None:
    """Without any lock: the second advance commits between the first one's decision and commit."""
    victim = Victim(place, Pay(to="ann"), by=PEOPLE).begin()
    at_once(victim.app.answer("t.s1.1", "approve", by="anna"))
    others: list[Any] = []

    async def overtake() -> None:
        if not others:
            others.append(1)
            await advance(Ref("default", "t"), victim.app.surroundings)

    slow = victim.again(store=Meddled(place.store, "tool_started", overtake))
    asyncio.run(advance(Ref("default", "t"), slow.app.surroundings))
    victim.go_on()

    victim.expect({"to": "ann"})
