"""One transaction's appends: first all checks, then all writes.

A refusal is raised before anything is written, so requests that share one SQLite transaction need
no savepoints: a refused one leaves nothing behind and its neighbours go on.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from os import urandom
from typing import Any, cast

from twelvefold.exceptions import Conflict, Fenced, Stale, UnknownThread, Unstorable
from twelvefold.store import Append, Create, Ref, Wakes
from twelvefold.stores.sqlite.projections import (
    contact_changes,
    summary_of,
    summary_text,
)
from twelvefold.stores.sqlite.queries import SQL
from twelvefold.stores.sqlite.rows import event_of
from twelvefold.summary import Summary, summarize
from twelvefold.thread import DELIVERY_RECORDS, Draft, Event, canonical, to_iso

SALT_BYTES = 16
KEPT_MAX = 256
"""Threads whose state is kept between transactions."""


@dataclass(slots=True)
class _Pending:
    """A thread as this transaction will leave it, and what has to be written for that."""

    ref: Ref
    number: int | None  # of its row; a thread that begins gets it when it is written
    agent: str
    head: int
    epoch: int
    chain: bytes
    status: str | None
    summary: Summary
    create: Create | None = None
    changed: bool = False
    events: list[Event] = field(default_factory=list[Event])
    rows: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    def written(self) -> None:
        """Nothing is left to write."""
        self.status, self.create, self.changed = self.summary.status, None, False
        self.events, self.rows = [], []


@dataclass(slots=True)
class Plan:
    """What one request will write. `repeated[i]` says that append i was stored before."""

    appends: Sequence[Append]
    threads: dict[Ref, _Pending] = field(default_factory=dict[Ref, _Pending])
    events: list[list[Event]] = field(default_factory=list[list[Event]])
    repeated: list[bool] = field(default_factory=list[bool])


class Kept:
    """The threads that this connection wrote last, so that it need not read them again.

    They hold until another connection commits. Planning changes a thread, so it takes it out; only
    what was committed comes back.
    """

    def __init__(self) -> None:
        self._version: int | None = None
        self._threads: dict[Ref, _Pending] = {}

    def check(self, db: sqlite3.Connection) -> None:
        """Called at the beginning of each transaction, when nobody else can commit any more."""
        (version,) = db.execute(SQL["data_version"]).fetchone()
        if version != self._version:
            self._threads.clear()
        self._version = version

    def taken(self, ref: Ref) -> _Pending | None:
        return self._threads.pop(ref, None)

    def put(self, committed: Sequence[Plan]) -> None:
        last = {ref: pending for plan in committed for ref, pending in plan.threads.items()}
        for pending in last.values():
            pending.written()
        self._threads.update(last)  # at once: an interrupt must not leave what is older
        while len(self._threads) > KEPT_MAX:
            del self._threads[next(iter(self._threads))]

    def clear(self) -> None:
        self._threads.clear()


def plan(db: sqlite3.Connection, appends: Sequence[Append], kept: Kept | None = None) -> Plan:
    """Check all, write nothing. What it raises refuses the whole request."""
    planned = Plan(appends)
    for append in appends:
        ref = Ref(append.tenant, append.thread_id)
        pending = planned.threads.get(ref) or (kept and kept.taken(ref)) or _read(db, ref)
        stored = _stored(db, pending, append) if pending else []
        if not stored:
            pending = _admitted(db, pending, append, ref)
            planned.threads[ref] = pending
            planned.events.append(_stage(pending, append))
        else:
            planned.events.append(stored)
        planned.repeated.append(bool(stored))
    return planned


def write(db: sqlite3.Connection, planned: Plan, wakes: Wakes) -> None:
    """Write what was planned, inside the open transaction."""
    for pending in planned.threads.values():
        number = pending.number = _write_thread(db, pending)
        if pending.rows:
            db.executemany(SQL["insert_event"], [(number, *row) for row in pending.rows])
        for change in contact_changes(number, pending.ref.tenant, pending.events):
            db.execute(change.sql, change.parameters)
    for append, repeated in zip(planned.appends, planned.repeated, strict=True):
        _write_wakes(db, append, wakes, repeated=repeated)


def _read(db: sqlite3.Connection, ref: Ref) -> _Pending | None:
    row = db.execute(SQL["thread_for_append"], ref).fetchone()
    if row is None:
        return None
    number, agent, head, epoch, chain, status, summary = row
    return _Pending(ref, number, agent, head, epoch, chain, status, summary_of(summary))


def _stored(db: sqlite3.Connection, pending: _Pending, append: Append) -> list[Event]:
    """The events that already hold keys of this append, in the order of its drafts."""
    found: list[Event] = []
    for draft in append.drafts:
        if draft.key is None:
            continue
        row = db.execute(SQL["event_by_key"], (pending.number, draft.key)).fetchone()
        if row is not None:
            found.append(event_of(row))
        elif pending.events:  # an earlier append of this transaction may have brought the key
            found += [event for event in pending.events if event.key == draft.key]
    return found


def _admitted(
    db: sqlite3.Connection, pending: _Pending | None, append: Append, ref: Ref
) -> _Pending:
    """The thread that `append` may grow, or the reason why it may not."""
    if pending is None:
        if append.create is None:
            raise UnknownThread(
                f"there is no thread {ref.id!r} (tenant {ref.tenant!r}) here. Launch it first."
            )
        create = append.create
        pending = _Pending(
            ref, None, create.agent, 0, 0, b"", None, Summary(), create, changed=True
        )
    elif append.create is not None:
        raise Conflict(f"thread {ref.id} exists already. Choose another id, or send to it.")
    if append.epoch is not None and append.epoch != pending.epoch:
        raise Fenced(
            f"thread {ref.id} is at epoch {pending.epoch}, not {append.epoch}: a newer advance"
            " owns it. Stop; it goes on there."
        )
    if append.expect is not None and append.expect != pending.head:
        _refuse_stale(db, pending, append, append.expect)
    return pending


def _refuse_stale(db: sqlite3.Connection, pending: _Pending, append: Append, expect: int) -> None:
    """Pass when nothing but delivery records came after `expect`, and their places are free."""
    if expect < pending.head and not append.refers_to_itself:
        stored = db.execute(SQL["types_after"], (pending.number, expect))
        types = {type for (type,) in stored} | {e.type for e in pending.events if e.seq > expect}
        if types <= DELIVERY_RECORDS:
            return
    raise Stale(
        f"thread {pending.ref.id} is at event {pending.head}, not {expect}."
        " Load the tail and decide again."
    )


def _stage(pending: _Pending, append: Append) -> list[Event]:
    """Grow the pending thread by the drafts of `append`."""
    events: list[Event] = []
    for draft in append.drafts:
        pending.head += 1
        pending.rows.append(_row(pending, draft))
        events.append(draft.event(pending.head))
    if events:
        _fold(pending, events)
        pending.changed = True
    if append.claim:
        pending.epoch += 1
        pending.changed = True
    return events


def _row(pending: _Pending, draft: Draft) -> tuple[Any, ...]:
    """The row of one event; the chain of the thread moves on to it."""
    at = to_iso(draft.at)
    salt = urandom(SALT_BYTES)
    commitment = sha256(salt + draft.text.encode()).digest()
    place = (pending.head, draft.type, draft.v, draft.key, draft.after, at)
    header = canonical([*pending.ref, *place]).encode()
    pending.chain = sha256(pending.chain + header + commitment).digest()
    return (*place, draft.text, salt, pending.chain)


def _fold(pending: _Pending, events: list[Event]) -> None:
    keys = [event.key for event in events if event.key is not None]
    if len(keys) != len(set(keys)):
        raise Conflict(f"one append to {pending.ref.id} uses a key twice. Give each fact its own.")
    try:
        summarize(events, pending.summary)
        contact_changes(0, pending.ref.tenant, events)  # what cannot be listed is refused here
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        types = ", ".join(event.type for event in events)
        raise Unstorable(
            f"an event lacks what its type demands ({types}): {error!r}. Nothing was saved."
        ) from error
    pending.events += events


def _write_thread(db: sqlite3.Connection, pending: _Pending) -> int:
    """The number of the thread's row."""
    if pending.number is not None and not pending.changed:
        return pending.number
    state = (pending.head, pending.epoch, pending.chain)
    summary, status = summary_text(pending.summary), pending.summary.status
    if pending.number is None:
        parent = pending.create.parent if pending.create else None
        launched = (parent.thread, parent.step, parent.intent) if parent else (None, None, None)
        row = (*pending.ref, pending.agent, *launched, *state, status, summary)
        return cast(int, db.execute(SQL["insert_thread"], row).lastrowid)
    if status == pending.status:
        db.execute(SQL["update_thread"], (*state, summary, pending.number))
    else:
        db.execute(SQL["update_thread_and_status"], (*state, summary, status, pending.number))
    return pending.number


def _write_wakes(db: sqlite3.Connection, append: Append, wakes: Wakes, *, repeated: bool) -> None:
    ref = Ref(append.tenant, append.thread_id)
    for key in append.cancel:
        wakes.cancel_wake(db, ref, key)
    for timer in append.arms:
        wakes.wake_at(db, Ref(append.tenant, ""), timer)
    if repeated:
        return
    for timer in append.timers:
        wakes.wake_at(db, ref, timer)
    if append.served is not None:
        wakes.served(db, ref, append.served)
    if append.wake:
        wakes.wake(db, ref)
