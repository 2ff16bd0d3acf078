"""Wakes and timers that somebody deleted, made again from the log.

Whoever is woken for nothing finds nothing to do, and a timer that has nothing to say is dropped, so
in doubt there is one more.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from twelvefold.plan import sends, waits
from twelvefold.store import Ref, Timer, Wakes
from twelvefold.summary import Status
from twelvefold.tables.queries import Database
from twelvefold.thread import Event, Thread, to_iso

_AWAKE: tuple[Status, ...] = ("running", "waiting")
"""What may have something to do."""
_OVER: tuple[Status, ...] = ("cancelled", "erased")
"""What needs no timer: a thread that has finished may still have its last word to say."""
_END_OF_TIME = to_iso(datetime.max.replace(tzinfo=UTC))


class Healing:
    """Inside one open transaction, which holds up appends."""

    def __init__(self, db: Database, wakes: Wakes) -> None:
        self._db, self._wakes = db, wakes
        self._woken = {(tenant, id) for tenant, id, _ in db.rows("woken")}
        timers = db.rows("due", (_END_OF_TIME,))
        self._timers = {(tenant, id, key) for tenant, id, key, _ in timers}

    def heal(self, ref: Ref, events: Sequence[Event], status: Status) -> None:
        """What is there stays as it is."""
        if status in _AWAKE and ref not in self._woken:
            self._wakes.wake(self._db.raw, ref)
        if status in _OVER:
            return
        for timer in _timers(Thread(ref.id, "", events, tenant=ref.tenant)):
            if (*ref, timer.key) not in self._timers:
                self._wakes.wake_at(self._db.raw, ref, timer)


def _timers(thread: Thread) -> list[Timer]:
    try:
        return [*waits(thread), *sends(thread)]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []  # its events lack what their types demand: no advance could read them either
