"""A crash, or two processes, ask one question twice: two open contacts, and two yeses for one."""

import asyncio
from typing import Any

from victims import Place, Victim, holds

from crew import Meddled, Pay, times
from twelvefold.exceptions import AlreadyDecided, Conflict, StoreUnavailable
from twelvefold.loop import advance
from twelvefold.store import Ref

T = Ref("default", "t")


def one_is_open(victim: Victim) -> None:
    ids = [row.id for row in victim.inbox()]
    holds(len(ids) == 1, f"open are {ids}")


def test_a_crash_before_and_after_the_question_leaves_one_open(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"))
    asyncio.run(victim.app.launch("bot", "go", thread_id="t"))
    gone = StoreUnavailable("the process ended here")
    dying = victim.again(store=Meddled(place.store, "contact_requested", times(1, gone)))
    asyncio.run(dying.work())

    for _ in range(3):
        victim.again().redeployed()

    one_is_open(victim)
    victim.answer("approve")
    victim.expect({"to": "ann"})


def test_a_commit_that_took_place_although_it_said_otherwise_is_not_repeated(place: Place) -> None:
    """The connection breaks after the commit: whoever asked does not know that it worked."""

    class Deaf(Meddled):
        async def commit(self, *appends: Any) -> Any:
            stored = await place.store.commit(*appends)
            await self._before_error(appends)
            return stored

        async def _before_error(self, appends: Any) -> None:
            if any(d.type == self._type for a in appends for d in a.drafts):
                await self._before()

    victim = Victim(place, Pay(to="ann"))
    asyncio.run(victim.app.launch("bot", "go", thread_id="t"))
    gone = StoreUnavailable("no answer")
    deaf = victim.again(store=Deaf(place.store, "contact_requested", times(1, gone)))
    asyncio.run(deaf.work())
    victim.go_on()

    one_is_open(victim)
    victim.answer("approve")
    victim.expect({"to": "ann"})


def test_two_advances_ask_one_question(place: Place) -> None:
    victim = Victim(place, Pay(to="ann"))
    asyncio.run(victim.app.launch("bot", "go", thread_id="t"))
    others: list[Any] = []

    async def overtake() -> None:
        if not others:
            others.append(1)
            await advance(T, victim.app.surroundings)

    slow = victim.again(store=Meddled(place.store, "contact_requested", overtake))
    asyncio.run(advance(T, slow.app.surroundings))

    one_is_open(victim)
    refusals = [victim.tried("approve", of="t.s1.1"), victim.tried("approve", of="t.s1.1")]
    victim.expect({"to": "ann"})
    assert [type(refusal) for refusal in refusals] == [type(None), AlreadyDecided]


def test_a_redeploy_that_voids_a_question_asks_once(place: Place) -> None:
    class PayNow(Pay):
        note: str = ""

    victim = Victim(place, Pay(to="ann")).begin()

    again = victim.redeployed(PayNow(to="ann"))
    again.again().redeployed()

    one_is_open(again)
    refusal = again.tried("approve", of="t.s1.1")
    again.expect()
    again.answer("approve")
    again.expect({"to": "ann", "note": ""})
    assert isinstance(refusal, Conflict)
