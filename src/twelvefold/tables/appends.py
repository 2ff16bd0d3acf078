"""One transaction's appends: first all checks, then all writes.

A refusal is raised before anything is written, so requests that share one transaction need no
savepoints: a refused one leaves nothing behind and its neighbours go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import urandom
from typing import Any

from twelvefold.audit import SALT_BYTES, commitment, genesis, link
from twelvefold.exceptions import Conflict, Fenced, Stale, UnknownThread, Unstorable
from twelvefold.store import Append, Create, Ref, Wakes
from twelvefold.summary import Summary, erased_summary, summarize
from twelvefold.tables.erasing import erase
from twelvefold.tables.projections import contact_changes, summary_of, summary_text
from twelvefold.tables.queries import Database
from twelvefold.tables.rows import event_of
from twelvefold.thread import DELIVERY_RECORDS, Draft, Event, to_iso

KEYS_KNOWN_MAX = 512
"""Of a thread that began here; one with more is asked for each key."""


@dataclass(slots=True)
class Pending:
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
    keys: set[str] | None = None  # all of its keys, where they are known
    newest_at: str | None = None
    erased: int = 0  # the data of the events up to here goes
    events: list[Event] = field(default_factory=lambda: [])
    rows: list[tuple[Any, ...]] = field(default_factory=lambda: [])

    def written(self) -> None:
        """Nothing is left to write."""
        self.status, self.create = self.summary.status, None
        self.changed, self.erased = False, 0
        self.events, self.rows = [], []


@dataclass(slots=True)
class Plan:
    """What one request will write. `repeated[i]` says that append i was stored before."""

    appends: Sequence[Append]
    threads: dict[Ref, Pending] = field(default_factory=lambda: {})
    events: list[list[Event]] = field(default_factory=lambda: [])
    repeated: list[bool] = field(default_factory=lambda: [])


def ref_of(append: Append) -> Ref:
    return Ref(append.tenant, append.thread_id)


Read = Callable[[Ref], Pending | None]
"""The thread as this transaction finds it, when there is one."""


def plan(db: Database, appends: Sequence[Append], read: Read) -> Plan:
    """Check all, write nothing. What it raises refuses the whole request."""
    planned = Plan(appends)
    for append in appends:
        ref = ref_of(append)
        pending = planned.threads.get(ref) or read(ref)
        stored = _stored(db, pending, append) if pending else []
        if not stored:
            pending = _admitted(db, pending, append, ref)
            planned.threads[ref] = pending
            planned.events.append(_stage(pending, append))
        else:
            planned.events.append(stored)
        planned.repeated.append(bool(stored))
    return planned


def write(db: Database, planned: Plan, wakes: Wakes) -> None:
    """Write what was planned, inside the open transaction."""
    for pending in planned.threads.values():
        number = pending.number = _write_thread(db, pending)
        if pending.rows:
            db.write_many("insert_event", [(number, *row) for row in pending.rows])
        for change in contact_changes(number, pending.ref.tenant, pending.events):
            db.write(change.name, change.parameters)
        if pending.erased:
            erase(db, number, pending.ref, upto=pending.erased)
    for append, repeated in zip(planned.appends, planned.repeated, strict=True):
        _write_wakes(db.raw, append, wakes, repeated=repeated)


def read_thread(db: Database, ref: Ref) -> Pending | None:
    """The thread as its row says."""
    for number, agent, head, epoch, chain, status, summary in db.rows("thread_for_append", ref):
        return Pending(ref, number, agent, head, epoch, chain, status, summary_of(summary))
    return None


def _stored(db: Database, pending: Pending, append: Append) -> list[Event]:
    """The events that already hold keys of this append, in the order of its drafts."""
    found: list[Event] = []
    for draft in append.drafts:
        if draft.key is None or (pending.keys is not None and draft.key not in pending.keys):
            continue
        rows = db.rows("event_by_key", (pending.number, draft.key))
        if rows:
            found.append(event_of(rows[0]))
        elif pending.events:  # an earlier append of this transaction may have brought the key
            found += [event for event in pending.events if event.key == draft.key]
    return found


def _admitted(db: Database, pending: Pending | None, append: Append, ref: Ref) -> Pending:
    """The thread that `append` may grow, or the reason why it may not."""
    if pending is None:
        if append.create is None:
            raise UnknownThread(
                f"there is no thread {ref.id!r} (tenant {ref.tenant!r}) here. Launch it first."
            )
        create = append.create
        _refuse_nul(*ref, create.agent)
        begins = genesis(*ref, create.agent, create.parent)
        pending = Pending(ref, None, create.agent, 0, 0, begins, None, Summary(), create, True)
        pending.keys = set()
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


def _refuse_stale(db: Database, pending: Pending, append: Append, expect: int) -> None:
    """Pass when nothing but delivery records came after `expect`, and their places are free."""
    if expect < pending.head and not append.refers_to_itself:
        stored = db.rows("types_after", (pending.number, expect))
        types = {type for (type,) in stored} | {e.type for e in pending.events if e.seq > expect}
        if types <= DELIVERY_RECORDS:
            return
    raise Stale(
        f"thread {pending.ref.id} is at event {pending.head}, not {expect}."
        " Load the tail and decide again."
    )


def _stage(pending: Pending, append: Append) -> list[Event]:
    """Grow the pending thread by the drafts of `append`."""
    events: list[Event] = []
    if append.erase:
        pending.erased, pending.summary = pending.head, erased_summary(pending.summary)
    for draft in append.drafts:
        _refuse_nul(draft.type, draft.key)
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


def _row(pending: Pending, draft: Draft) -> tuple[Any, ...]:
    """The row of one event; the chain of the thread moves on to it."""
    at = pending.newest_at = to_iso(draft.at)
    salt = urandom(SALT_BYTES)
    place = (pending.head, draft.type, draft.v, draft.key, draft.after, at)
    committed = commitment(salt, draft.text)
    pending.chain = link(pending.chain, *pending.ref, place, committed)
    return (*place, draft.text, salt, pending.chain)


def _refuse_nul(*names: str | None) -> None:
    # Postgres keeps none, and one log must fit into every store. In `data` it is escaped.
    for name in names:
        if name is not None and "\0" in name:
            raise Unstorable("a name, type or key holds a NUL, which not every store can keep.")


def _fold(pending: Pending, events: list[Event]) -> None:
    keys = [event.key for event in events if event.key is not None]
    if len(keys) > 1 and len(keys) != len(set(keys)):
        raise Conflict(f"one append to {pending.ref.id} uses a key twice. Give each fact its own.")
    try:
        summarize(events, pending.summary, newest_at=pending.newest_at)
        contact_changes(0, pending.ref.tenant, events)  # what cannot be listed is refused here
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        types = ", ".join(event.type for event in events)
        raise Unstorable(
            f"an event lacks what its type demands ({types}): {error!r}. Nothing was saved."
        ) from error
    pending.events += events
    if pending.keys is not None:
        pending.keys.update(keys)
        if len(pending.keys) > KEYS_KNOWN_MAX:
            pending.keys = None


def _write_thread(db: Database, pending: Pending) -> int:
    """The number of the thread's row."""
    if pending.number is not None and not pending.changed:
        return pending.number
    state = (pending.head, pending.epoch, pending.chain)
    summary, status = summary_text(pending.summary), pending.summary.status
    if pending.number is None:
        parent = pending.create.parent if pending.create else None
        launched = (parent.thread, parent.step, parent.intent) if parent else (None, None, None)
        row = (*pending.ref, pending.agent, *launched, *state, status, summary)
        ((number,),) = db.rows("insert_thread", row)
        return number
    if status == pending.status:
        db.write("update_thread", (*state, summary, pending.number))
    else:
        db.write("update_thread_and_status", (*state, summary, status, pending.number))
    return pending.number


def _write_wakes(tx: Any, append: Append, wakes: Wakes, *, repeated: bool) -> None:
    ref = ref_of(append)
    if append.cancels(repeated=repeated):
        for key in append.cancel:
            wakes.cancel_wake(tx, ref, key)
    for timer in append.arms:
        wakes.wake_at(tx, Ref(append.tenant, ""), timer)
    if repeated:
        return
    for timer in append.timers:
        wakes.wake_at(tx, ref, timer)
    if append.served is not None:
        wakes.served(tx, ref, append.served)
    if append.wake:
        wakes.wake(tx, ref)
