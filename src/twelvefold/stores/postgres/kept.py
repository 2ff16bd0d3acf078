"""The threads that this process wrote last, so that growing one is a single statement.

The statement itself asks whether a thread is still so. Where it is not, or an append is anything
but a few events of one thread, the writer does it the long way: what is kept decides nothing.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from twelvefold.exceptions import TwelvefoldError
from twelvefold.store import Append, Ref
from twelvefold.stores.postgres.queries import Named
from twelvefold.tables.appends import Pending, Plan, plan, ref_of
from twelvefold.tables.projections import contact_changes, summary_of, summary_text
from twelvefold.tables.rows import Row
from twelvefold.thread import Event, Json, to_text

KEPT_MAX = 256
"""Threads whose state is kept between transactions."""
GROWN_MAX = 2
"""Events of one statement: a step is chosen and started, or it ends."""

_BEFORE = ("n", "head", "epoch", "chain", "summary")
_AFTER = ("new_head", "new_epoch", "new_chain", "new_summary", "status")
EVENT = ("seq", "type", "v", "key", "after", "at", "data", "salt", "chain")


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """An append that was checked against what is kept; the row of its thread before and after."""

    pending: Pending
    events: list[list[Event]]
    before: tuple[Any, ...]
    after: tuple[Any, ...]
    served: int | None = None

    def written(self, db: Named) -> bool:
        """Write it, in a transaction of its own; False when the thread is another by now."""
        rows = self.pending.rows
        values = [value for row in rows for value in row]
        parameters = (*self.after, *self.before, *values)
        if self.served is not None:
            parameters += (*self.pending.ref, self.served)
        verb = "grow" if self.served is None else "rest"
        return db.written(f"{verb}_by_{len(rows)}", parameters) == len(rows)


def write_together(db: Named, growths: Sequence[Growth]) -> list[Growth]:
    """Write all in one transaction; those whose threads were still as they were."""
    if len(growths) == 1:
        return [growths[0]] if growths[0].written(db) else []
    names = (*_BEFORE, *_AFTER, "served")
    threads = [named(names, (*one.before, *one.after, one.served)) for one in growths]
    events = [
        {"thread": one.pending.number} | named(EVENT, row)
        for one in growths
        for row in one.pending.rows
    ]
    numbers = {n for (n,) in db.rows("grow_together", (to_text(threads), to_text(events)))}
    return [one for one in growths if one.pending.number in numbers]


def named(names: Iterable[str], values: Iterable[Any]) -> dict[str, Json]:
    pairs = zip(names, values, strict=True)
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in pairs}


class Kept:
    """Called from any thread. What is taken out comes back when it was committed."""

    def __init__(self) -> None:
        self._threads: dict[Ref, Pending] = {}
        self._lock = threading.Lock()

    def growth(self, appends: Sequence[Append]) -> Growth | None:
        """None: do it the long way, which also knows why it may be refused."""
        if len(appends) != 1 or not _only_grows(appends[0]):
            return None
        with self._lock:
            pending = self._threads.pop(ref_of(appends[0]), None)
        return None if pending is None else _growth(appends[0], pending)

    def put(self, threads: Iterable[Pending]) -> None:
        for pending in threads:
            pending.written()
            with self._lock:
                self._threads[pending.ref] = pending
                while len(self._threads) > KEPT_MAX:
                    del self._threads[next(iter(self._threads))]

    def learn(self, ref: Ref, row: Row) -> None:
        """What was read of a thread, by a process that is about to write to it."""
        number, agent, head, epoch, chain, status, summary = row
        with self._lock:
            known = self._threads.get(ref)
        if known is None or (known.head, known.epoch) != (head, epoch):
            found = Pending(ref, number, agent, head, epoch, chain, status, summary_of(summary))
            self.put([found])


def _only_grows(append: Append) -> bool:
    moves_timers = append.timers or append.cancel or append.arms
    begins_or_ends = append.create is not None or append.erase
    return 0 < len(append.drafts) <= GROWN_MAX and not (
        moves_timers or append.wake or begins_or_ends
    )


def _growth(append: Append, pending: Pending) -> Growth | None:
    epoch, head = append.epoch, append.expect
    if epoch not in (None, pending.epoch) or head not in (None, pending.head):
        return None
    before = (pending.number, *_row_of(pending))
    try:
        planned: Plan = plan(Unasked(), [append], lambda _: pending)
    except TwelvefoldError:
        return None
    if contact_changes(0, pending.ref.tenant, pending.events):
        return None
    after = (*_row_of(pending), pending.summary.status)
    return Growth(pending, planned.events, before, after, append.served)


def _row_of(pending: Pending) -> tuple[Any, ...]:
    return (pending.head, pending.epoch, pending.chain, summary_text(pending.summary))


class Unasked:
    """A database in which no key is used yet: should one be, its index refuses the statement."""

    raw = None

    def rows(self, name: str, parameters: Any = ()) -> list[Row]:
        assert name == "event_by_key", name
        return []

    def write(self, name: str, parameters: Any = ()) -> None:
        raise AssertionError(name)

    def write_many(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        raise AssertionError(name)
