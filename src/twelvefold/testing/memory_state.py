"""What the in-memory store holds, and what an append does to it."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from twelvefold.audit import (
    ERASED,
    SALT_BYTES,
    Record,
    Recorded,
    commitment,
    event_of,
    genesis,
    link,
)
from twelvefold.exceptions import Conflict, Fenced, Stale, UnknownThread, Unstorable
from twelvefold.store import Append, ContactRow, Ref, ThreadRow
from twelvefold.summary import Summary, erased_summary, summarize
from twelvefold.thread import DELIVERY_RECORDS, Draft, Event, Parent, from_iso, to_iso, to_text

NEVER = datetime.max.replace(tzinfo=UTC)
SALT = bytes(SALT_BYTES)


@dataclass(slots=True)
class Kept:
    """One thread and what is derived from its log."""

    agent: str
    parent: Parent | None = None
    epoch: int = 0
    events: list[Event] = field(default_factory=list[Event])
    erased: dict[int, Record] = field(default_factory=dict[int, Record])
    summary: Summary = field(default_factory=Summary)
    contacts: dict[str, ContactRow] = field(default_factory=dict[str, ContactRow])

    def copy(self) -> "Kept":
        copied = replace(self, events=list(self.events), contacts=dict(self.contacts))
        copied.erased = dict(self.erased)
        copied.summary = deepcopy(self.summary)
        return copied


@dataclass(slots=True)
class State:
    """Everything that one transaction may change. A refused one works on a copy that is dropped."""

    threads: dict[Ref, Kept] = field(default_factory=dict[Ref, Kept])
    wakes: dict[Ref, int] = field(default_factory=dict[Ref, int])
    timers: dict[tuple[Ref, str], datetime] = field(default_factory=dict[tuple[Ref, str], datetime])
    version: int = 0

    def copy(self, refs: Iterable[Ref]) -> "State":
        touched = {ref: self.threads[ref].copy() for ref in refs if ref in self.threads}
        return State(self.threads | touched, dict(self.wakes), dict(self.timers), self.version)


def ref_of(append: Append) -> Ref:
    return Ref(append.tenant, append.thread_id)


def row_of(ref: Ref, kept: Kept) -> ThreadRow:
    return ThreadRow(ref, kept.agent, len(kept.events), kept.parent, deepcopy(kept.summary))


def deadline(row: ContactRow) -> datetime:
    deadline = row.data.get("deadline")
    return NEVER if deadline is None else from_iso(deadline)


def unknown(ref: Ref) -> UnknownThread:
    return UnknownThread(f"there is no thread {ref.id!r} (tenant {ref.tenant!r}) in this store.")


def apply(state: State, append: Append) -> list[Event]:
    ref = ref_of(append)
    keys = [draft.key for draft in append.drafts if draft.key is not None]
    stored = _stored(state.threads.get(ref), keys)
    if append.cancels(repeated=bool(stored)):
        for key in append.cancel:
            state.timers.pop((ref, key), None)
    for timer in append.arms:
        state.timers[(Ref(ref.tenant, ""), timer.key)] = timer.due
    if stored:
        return stored
    kept = _admitted(state, append, ref)
    kept.epoch += append.claim
    if append.erase:
        erase(ref, kept)
    events = _grown(ref, kept, append.drafts, keys)
    _wake(state, append, ref)
    return events


def _stored(kept: Kept | None, keys: Sequence[str]) -> list[Event]:
    by_key = {event.key: event for event in kept.events} if kept else {}
    return [by_key[key] for key in keys if key in by_key]


def _admitted(state: State, append: Append, ref: Ref) -> Kept:
    kept = state.threads.get(ref)
    if kept is None:
        if append.create is None:
            raise unknown(ref)
        kept = state.threads[ref] = Kept(append.create.agent, append.create.parent)
    elif append.create is not None:
        raise Conflict(f"thread {ref.id} exists already. Choose another id, or send to it.")
    if append.epoch is not None and append.epoch != kept.epoch:
        raise Fenced(f"thread {ref.id} is at epoch {kept.epoch}, not {append.epoch}.")
    expect = len(kept.events) if append.expect is None else append.expect
    newer = {event.type for event in kept.events[expect:]}
    harmless = not newer or (newer <= DELIVERY_RECORDS and not append.refers_to_itself)
    if expect > len(kept.events) or not harmless:
        raise Stale(f"thread {ref.id} is at event {len(kept.events)}, not {append.expect}.")
    return kept


def _grown(ref: Ref, kept: Kept, drafts: Sequence[Draft], keys: Sequence[str]) -> list[Event]:
    if len(keys) != len(set(keys)):
        raise Conflict(f"one append to {ref.id} uses a key twice. Give each fact its own.")
    head = len(kept.events)
    events = [draft.event(head + n) for n, draft in enumerate(drafts, start=1)]
    try:
        names = (*ref, kept.agent, *keys, *(event.type for event in events))
        if "\0" in "".join(names).encode().decode():  # a lone surrogate cannot be encoded
            raise ValueError("a name, type or key holds a NUL")
        summarize(events, kept.summary)
        for event in events:
            _project(ref, kept, event)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unstorable(f"an event is not what its type demands: {error!r}") from error
    kept.events += events
    return events


def erase(ref: Ref, kept: Kept) -> None:
    """The data of every event goes; what it was committed to stays."""
    for record in recorded(ref, kept).records:
        if record.data is not None and record.salt is not None and record.type != ERASED:
            committed = commitment(record.salt, record.data)
            kept.erased[record.seq] = record._replace(data=None, salt=None, commit=committed)
    gone = kept.erased
    kept.events = [event_of(gone[e.seq]) if e.seq in gone else e for e in kept.events]
    kept.summary, kept.contacts = erased_summary(kept.summary), {}


def recorded(ref: Ref, kept: Kept) -> Recorded:
    """As a database would hold it. The salt is always the same: nobody has to guess here."""
    chain = genesis(*ref, kept.agent, kept.parent)
    records: list[Record] = []
    for event in kept.events:
        record = kept.erased.get(event.seq) or _record(event)
        committed = record.commit or commitment(SALT, record.data or "")
        chain = link(chain, *ref, record.place, committed)
        records.append(record._replace(chain=chain))
    return Recorded(*ref, kept.agent, kept.parent, len(records), chain, records)


def _record(event: Event) -> Record:
    place = (event.seq, event.type, event.v, event.key, event.after, to_iso(event.at))
    return Record(*place, to_text(event.data), SALT, None, b"")


def _project(ref: Ref, kept: Kept, event: Event) -> None:
    match event.type:
        case "contact_requested":
            contact = event.data["contact"]
            row = ContactRow(ref, kept.agent, contact, event.at, event.data)
            deadline(row)  # one that is no time is refused now, not when the inbox is read
            kept.contacts[contact] = row
        case "contact_escalated" | "contact_reassigned":
            _move(kept, event)
        case "contact_closed":
            _close(kept, event.data["contact"], event.data["outcome"], event.at)
        case "forked" | "imported":
            for contact in kept.contacts:
                _close(kept, contact, "voided", event.at)
        case _:
            pass


def _move(kept: Kept, event: Event) -> None:
    """It was asked of others: the event repeats the request."""
    row = kept.contacts.get(event.data["contact"])
    if row is not None and row.outcome is None:
        moved = replace(row, data=event.data)
        deadline(moved)
        kept.contacts[row.id] = moved


def _close(kept: Kept, contact: str, outcome: str, at: datetime) -> None:
    row = kept.contacts.get(contact)
    if row is not None and row.outcome is None:
        kept.contacts[contact] = replace(row, outcome=outcome, closed_at=at)


def _wake(state: State, append: Append, ref: Ref) -> None:
    for timer in append.timers:
        state.timers[(ref, timer.key)] = timer.due
    if append.served is not None and state.wakes.get(ref) == append.served:
        del state.wakes[ref]
    if append.wake:
        state.version += 1
        state.wakes[ref] = state.version
