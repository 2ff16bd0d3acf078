"""The in-memory twin of the stores, for tests: the same answers, nothing survives the process."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from twelvefold.exceptions import Conflict, Fenced, Stale, UnknownAttachment, UnknownThread, Unstorable
from twelvefold.store import Append, ContactRow, Due, Ref, ThreadRow, Timer, Woken, transactional
from twelvefold.summary import Status, Summary, summarize
from twelvefold.thread import (
    DEFAULT_TENANT,
    DELIVERY_RECORDS,
    Draft,
    Event,
    Parent,
    Thread,
    from_iso,
)

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Kept:
    """One thread and what is derived from its log."""

    agent: str
    parent: Parent | None = None
    epoch: int = 0
    events: list[Event] = field(default_factory=list[Event])
    summary: Summary = field(default_factory=Summary)
    contacts: dict[str, ContactRow] = field(default_factory=dict[str, ContactRow])

    def copy(self) -> "_Kept":
        copied = replace(self, events=list(self.events), contacts=dict(self.contacts))
        copied.summary = deepcopy(self.summary)
        return copied


@dataclass(slots=True)
class _State:
    """Everything that one transaction may change. A refused one works on a copy that is dropped."""

    threads: dict[Ref, _Kept] = field(default_factory=dict[Ref, _Kept])
    wakes: dict[Ref, int] = field(default_factory=dict[Ref, int])
    timers: dict[tuple[Ref, str], datetime] = field(default_factory=dict[tuple[Ref, str], datetime])
    version: int = 0

    def copy(self, refs: Iterable[Ref]) -> "_State":
        touched = {ref: self.threads[ref].copy() for ref in refs if ref in self.threads}
        return _State(self.threads | touched, dict(self.wakes), dict(self.timers), self.version)


class MemoryStore:
    """An `EmbeddedStore` without a file. Everything may be called from any thread."""

    def __init__(self) -> None:
        self._state = _State()
        self._blobs: dict[tuple[str, str], bytes] = {}
        self._lock = threading.RLock()
        self._running = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    async def commit(self, *appends: Append) -> list[list[Event]]:
        await asyncio.sleep(0)  # as a real store, let others run before the commit
        return self.commit_now(*appends)

    def commit_now(self, *appends: Append, tx: object = None) -> list[list[Event]]:
        if tx is not None:
            transactional(self)  # which it is not
        with self._lock:
            state = self._state.copy(_ref(append) for append in appends)
            events = [_apply(state, append) for append in appends]
            self._state = state
        if any(append.is_heard for append in appends):
            self._ring()
        return events

    def load(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Thread:
        kept = self._kept(thread_id, tenant)
        return Thread(thread_id, kept.agent, kept.events, tenant=tenant, parent=kept.parent)

    def tail(self, thread: Thread) -> Thread:
        kept = self._state.threads.get(Ref(thread.tenant, thread.id))
        newer = kept.events[thread.head :] if kept else []
        return thread.grown(newer) if newer else thread

    def epoch(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> int:
        return self._kept(thread_id, tenant).epoch

    def threads(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        status: Status | None = None,
        agent: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[ThreadRow]:
        rows = self._newest_first(tenant)
        if before is not None:
            self._kept(before, tenant)
            rows = rows[[row.ref.id for row in rows].index(before) + 1 :]
        wanted = (
            row
            for row in rows
            if (status is None or row.status == status) and (agent is None or row.agent == agent)
        )
        return list(wanted)[:limit]

    def thread_row(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> ThreadRow:
        return _row(Ref(tenant, thread_id), self._kept(thread_id, tenant))

    def ids_ending(self, suffix: str, *, tenant: str = DEFAULT_TENANT, limit: int = 5) -> list[str]:
        ids = [row.ref.id for row in self._newest_first(tenant)]
        return [suffix] if suffix in ids else [id for id in ids if id.endswith(suffix)][:limit]

    def contacts(
        self, *, tenant: str = DEFAULT_TENANT, open_only: bool = True, limit: int = 1000
    ) -> list[ContactRow]:
        rows = [
            contact
            for ref, kept in self._state.threads.items()
            if ref.tenant == tenant
            for contact in kept.contacts.values()
            if contact.outcome is None or not open_only
        ]
        return sorted(rows, key=lambda row: (_deadline(row), row.asked_at, row.ref.id))[:limit]

    def woken(self) -> list[Woken]:
        return sorted((Woken(*wake) for wake in self._state.wakes.items()), key=lambda w: w.version)

    def due(self, now: datetime) -> list[Due]:
        timers = self._state.timers.items()
        found = [Due(ref, key, due) for (ref, key), due in timers if due <= now]
        return sorted(found, key=lambda due: (due.due, due.ref, due.key))

    def next_due(self) -> datetime | None:
        return min(self._state.timers.values(), default=None)

    def armed(self) -> list[Due]:
        return [due for due in self.due(NEVER) if not due.ref.id]

    def arm(self, timer: Timer, *, tenant: str = DEFAULT_TENANT) -> None:
        with self._lock:
            self._state.timers[(Ref(tenant, ""), timer.key)] = timer.due
        self._ring()

    def disarm(self, key: str, *, tenant: str = DEFAULT_TENANT) -> None:
        with self._lock:
            self._state.timers.pop((Ref(tenant, ""), key), None)

    def runner_lock(self) -> AbstractContextManager[bool]:
        return _tried(self._running)

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(heard)
        return partial(self._listeners.remove, heard)

    def changed(self) -> bool:
        """Never: no other process reaches this memory."""
        return False

    def keep(self, content: bytes, *, tenant: str = DEFAULT_TENANT) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self._blobs[tenant, sha256] = content
        return sha256

    def kept(self, sha256: str, *, tenant: str = DEFAULT_TENANT) -> bytes:
        try:
            return self._blobs[tenant, sha256]
        except KeyError:
            raise UnknownAttachment(
                f"there is no attachment {sha256!r} (tenant {tenant!r}) in this store."
            ) from None

    def close(self) -> None:
        """Nothing to release; what was kept can still be read."""

    def _ring(self) -> None:
        for heard in list(self._listeners):
            heard()

    def _kept(self, thread_id: str, tenant: str) -> _Kept:
        try:
            return self._state.threads[Ref(tenant, thread_id)]
        except KeyError:
            raise _unknown(Ref(tenant, thread_id)) from None

    def _newest_first(self, tenant: str) -> list[ThreadRow]:
        threads = self._state.threads.items()
        return [_row(ref, kept) for ref, kept in threads if ref.tenant == tenant][::-1]


@contextmanager
def _tried(lock: threading.Lock) -> Generator[bool]:
    held = lock.acquire(blocking=False)
    try:
        yield held
    finally:
        if held:
            lock.release()


def _ref(append: Append) -> Ref:
    return Ref(append.tenant, append.thread_id)


def _row(ref: Ref, kept: _Kept) -> ThreadRow:
    return ThreadRow(ref, kept.agent, len(kept.events), kept.parent, deepcopy(kept.summary))


def _deadline(row: ContactRow) -> datetime:
    deadline = row.data.get("deadline")
    return NEVER if deadline is None else from_iso(deadline)


def _unknown(ref: Ref) -> UnknownThread:
    return UnknownThread(f"there is no thread {ref.id!r} (tenant {ref.tenant!r}) in this store.")


def _apply(state: _State, append: Append) -> list[Event]:
    ref = _ref(append)
    for key in append.cancel:
        state.timers.pop((ref, key), None)
    for timer in append.arms:
        state.timers[(Ref(ref.tenant, ""), timer.key)] = timer.due
    keys = [draft.key for draft in append.drafts if draft.key is not None]
    if stored := _stored(state.threads.get(ref), keys):
        return stored
    kept = _admitted(state, append, ref)
    kept.epoch += append.claim
    events = _grown(ref, kept, append.drafts, keys)
    _wake(state, append, ref)
    return events


def _stored(kept: _Kept | None, keys: Sequence[str]) -> list[Event]:
    by_key = {event.key: event for event in kept.events} if kept else {}
    return [by_key[key] for key in keys if key in by_key]


def _admitted(state: _State, append: Append, ref: Ref) -> _Kept:
    kept = state.threads.get(ref)
    if kept is None:
        if append.create is None:
            raise _unknown(ref)
        kept = state.threads[ref] = _Kept(append.create.agent, append.create.parent)
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


def _grown(ref: Ref, kept: _Kept, drafts: Sequence[Draft], keys: Sequence[str]) -> list[Event]:
    if len(keys) != len(set(keys)):
        raise Conflict(f"one append to {ref.id} uses a key twice. Give each fact its own.")
    head = len(kept.events)
    events = [draft.event(head + n) for n, draft in enumerate(drafts, start=1)]
    try:
        "".join((*ref, *keys, *(event.type for event in events))).encode()
        summarize(events, kept.summary)
        for event in events:
            _project(ref, kept, event)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unstorable(f"an event is not what its type demands: {error!r}") from error
    kept.events += events
    return events


def _project(ref: Ref, kept: _Kept, event: Event) -> None:
    match event.type:
        case "contact_requested":
            contact = event.data["contact"]
            row = ContactRow(ref, kept.agent, contact, event.at, event.data)
            _deadline(row)  # one that is no time is refused now, not when the inbox is read
            kept.contacts[contact] = row
        case "contact_closed":
            _close(kept, event.data["contact"], event.data["outcome"], event.at)
        case "forked" | "imported":
            for contact in kept.contacts:
                _close(kept, contact, "voided", event.at)
        case _:
            pass


def _close(kept: _Kept, contact: str, outcome: str, at: datetime) -> None:
    row = kept.contacts.get(contact)
    if row is not None and row.outcome is None:
        kept.contacts[contact] = replace(row, outcome=outcome, closed_at=at)


def _wake(state: _State, append: Append, ref: Ref) -> None:
    for timer in append.timers:
        state.timers[(ref, timer.key)] = timer.due
    if append.served is not None and state.wakes.get(ref) == append.served:
        del state.wakes[ref]
    if append.wake:
        state.version += 1
        state.wakes[ref] = state.version
