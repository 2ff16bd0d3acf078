"""Timers that came due, whichever engine found them: of threads, and of schedules."""

import logging
from collections.abc import Sequence

from twelvefold.exceptions import Stale
from twelvefold.loop.said import about
from twelvefold.loop.surroundings import Surroundings
from twelvefold.plan import fire
from twelvefold.schedules import Schedule, arming, fire_schedule, says_missed
from twelvefold.store import Append, Due, EmbeddedStore, Ref

log = logging.getLogger("twelvefold")


async def fire_due(
    due: Due, around: Surroundings, store: EmbeddedStore, schedules: Sequence[Schedule]
) -> None:
    """Append what the timer means and drop it, or arm the next slot, in one commit.

    When something has arrived meanwhile the timer stays due, and is judged again.
    """
    try:
        if due.ref.id:
            await _fire(due, around, store)
        else:
            await _launch(due, around, store, schedules)
    except Stale:
        pass


def arm(schedules: Sequence[Schedule], around: Surroundings, store: EmbeddedStore) -> None:
    """Give the store the timers of these schedules and of no others."""
    change = arming(schedules, store.armed(), now=around.clock())
    for schedule, timer in change.arm:
        store.arm(timer, tenant=schedule.tenant)
        log.info("schedule %s: the next slot is %s", schedule.name, timer.due)
    for due in change.drop:
        _drop(due, store)


async def _fire(due: Due, around: Surroundings, store: EmbeddedStore) -> None:
    thread = store.load(due.ref.id, tenant=due.ref.tenant)
    append = fire(thread, due.key, now=around.clock())
    append.timers = [*append.timers, *around.sends(append.drafts)]
    await store.commit(append)
    if append.drafts and store.tail(thread).head == thread.head:  # a copied log held its key
        await store.commit(Append(thread.id, [], tenant=thread.tenant, cancel=[due.key]))


async def _launch(
    due: Due, around: Surroundings, store: EmbeddedStore, schedules: Sequence[Schedule]
) -> None:
    """The thread of a slot. Nothing is decided here: its wake stands in the same commit."""
    place = (due.ref.tenant, due.key)
    schedule = next((s for s in schedules if (s.tenant, s.timer) == place), None)
    if schedule is None:
        return _drop(due, store)
    firing = fire_schedule(schedule, due.due, now=around.clock())
    await store.commit(firing.append)
    if firing.missed:
        begun = Ref(schedule.tenant, firing.append.thread_id)
        log.warning("%s", says_missed(schedule, firing), extra=about(begun, agent=schedule.agent))


def _drop(due: Due, store: EmbeddedStore) -> None:
    store.disarm(due.key, tenant=due.ref.tenant)
    log.warning(
        "%s was due at %s and is dropped: no schedule of this application has it",
        due.key,
        due.due,
    )
