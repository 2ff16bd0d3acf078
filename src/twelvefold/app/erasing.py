"""Erasing a thread and those it launched: what their events hold goes, and that they were stays."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial

from twelvefold.app import verbs
from twelvefold.app.ending import Ending
from twelvefold.app.families import family_of
from twelvefold.audit import ERASED
from twelvefold.exceptions import Conflict
from twelvefold.reducer import read
from twelvefold.store import Append
from twelvefold.thread import DEFAULT_TENANT, Draft, Json, Thread


class Erasing(Ending):
    """What `App` does with what must not be kept."""

    @property
    @abstractmethod
    def clock(self) -> Callable[[], datetime]: ...

    async def erase(
        self, thread_id: str, *, by: str, reason: str, tenant: str = DEFAULT_TENANT
    ) -> list[str]:
        """Drop the data of every event of an ended thread and of those it launched; their ids.

        Type, time and key of each event stay, and so does its place in the chain. `store.scrub()`
        then overwrites what a file still holds of it. Raises `Conflict` where a thread of the
        family has not ended, and where nothing is left to erase; then nothing was erased.
        """
        family = list(family_of(self.store, thread_id, tenant=tenant))
        for thread in family:
            refuse_open(thread)
        erasing = [thread.id for thread in family if not is_erased(thread)]
        if not erasing:
            raise Conflict(f"{thread_id} is erased already. Nothing was done.")
        for name in erasing:  # the children first: after a crash the parent still names the rest
            await self._change(name, tenant, partial(erase, by=by, reason=reason))
        return erasing


def erase(thread: Thread, *, by: str, reason: str, now: datetime) -> verbs.Change:
    """The event that records it, and the mark that makes the store do it. Raises `Conflict`."""
    refuse_open(thread)
    if is_erased(thread):
        raise Conflict(f"{thread.id} is erased already. Nothing was done.")
    data: dict[str, Json] = {"by": by, "reason": reason, "events": thread.head}
    draft = Draft(ERASED, data, now)
    expect = thread.head
    append = Append(thread.id, [draft], tenant=thread.tenant, expect=expect, erase=True)
    return verbs.Change((append,))


def is_erased(thread: Thread) -> bool:
    """Whether nothing is left to erase; a late outcome may have come since the last time."""
    return all(event.type == ERASED for event in thread.events)


def refuse_open(thread: Thread) -> None:
    """Raises `Conflict` unless the thread has ended: what goes on would need what is erased."""
    state = read(thread)
    if not (state.finished or state.cancelled):
        raise Conflict(
            f"{thread.id} has not ended, and what goes on needs its log: end it first with"
            f" `twelvefold cancel {thread.id}`. Nothing was erased."
        )
