"""The in-memory twin of the stores, for tests: the same answers, nothing survives the process."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from twelvefold.audit import CONTACT_EVENTS, Head, Recorded, Said, hashes
from twelvefold.exceptions import UnknownAttachment
from twelvefold.store import (
    Append,
    Backlog,
    ContactRow,
    Due,
    Ref,
    ThreadRow,
    Timer,
    Woken,
    transactional,
)
from twelvefold.summary import Status
from twelvefold.testing.memory_keys import MemoryKeys
from twelvefold.testing.memory_lists import counted, ended, listed, waiting
from twelvefold.testing.memory_meters import MemoryMeters
from twelvefold.testing.memory_repeats import MemoryRepeats
from twelvefold.testing.memory_state import (
    NEVER,
    Kept,
    State,
    apply,
    recorded,
    ref_of,
    row_of,
    unknown,
)
from twelvefold.thread import DEFAULT_TENANT, Event, Thread
from twelvefold.watching import LISTED_MAX, PAGE_EVENTS


class MemoryStore(MemoryKeys, MemoryMeters, MemoryRepeats):
    """An `EmbeddedStore` without a file. Everything may be called from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._state = State()
        self._blobs: dict[tuple[str, str], bytes] = {}
        self._commits = 0
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
            named = self._named([append for append in appends if append.erase])
            state = self._state.copy(ref_of(append) for append in appends)
            events = [apply(state, append) for append in appends]
            self._state = state
            self._commits += 1
            self._drop(named)
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
        return row_of(Ref(tenant, thread_id), self._kept(thread_id, tenant))

    def ids_ending(self, suffix: str, *, tenant: str = DEFAULT_TENANT, limit: int = 5) -> list[str]:
        ids = [row.ref.id for row in self._newest_first(tenant)]
        return [suffix] if suffix in ids else [id for id in ids if id.endswith(suffix)][:limit]

    def contacts(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        open_only: bool = True,
        limit: int = 1000,
        after: str = "",
        **wanted: Any,
    ) -> list[ContactRow]:
        rows = listed(self._state, tenant, **wanted)
        return waiting([r for r in rows if r.outcome is None or not open_only], after)[:limit]

    def closed(
        self, *, tenant: str = DEFAULT_TENANT, limit: int = 100, after: str = "", **wanted: Any
    ) -> list[ContactRow]:
        return ended(listed(self._state, tenant, **wanted), after)[:limit]

    def backlog(self, *, tenant: str = DEFAULT_TENANT) -> list[Backlog]:
        return counted(listed(self._state, tenant))

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

    def runner_pid(self) -> int | None:
        """Nobody: there is no other process to tell."""
        return None

    @property
    def name(self) -> str:
        return "memory"

    def about(self) -> str:
        return "in the memory of this process"

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

    def recorded(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Recorded:
        return recorded(Ref(tenant, thread_id), self._kept(thread_id, tenant))

    def heads(self) -> list[Head]:
        found = [recorded(ref, kept) for ref, kept in self._state.threads.items()]
        return [Head(one.tenant, one.id, one.head, one.chain) for one in found]

    def said(self, *, tenant: str = DEFAULT_TENANT, thread_id: str | None = None) -> list[Said]:
        rows = [
            Said(*ref, kept.agent, record.seq, record.type, record.key, record.at, record.data)
            for ref, kept in self._state.threads.items()
            if ref.tenant == tenant and thread_id in (None, ref.id)
            for record in recorded(ref, kept).records
            if record.type in CONTACT_EVENTS
        ]
        return sorted(rows, key=lambda row: row.at)

    def mark(self) -> str:
        return str(self._commits)

    def heads_of(self, threads: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        logs = {name: self._state.threads.get(Ref(*name)) for name in threads}
        return {name: len(kept.events) for name, kept in logs.items() if kept}

    def events(
        self,
        thread_id: str,
        *,
        after: int = 0,
        limit: int = PAGE_EVENTS,
        tenant: str = DEFAULT_TENANT,
    ) -> list[Event]:
        kept = self._state.threads.get(Ref(tenant, thread_id))
        return kept.events[after : after + limit] if kept else []

    def contacts_mark(self, *, tenant: str = DEFAULT_TENANT) -> str:
        return repr(self.contacts(tenant=tenant))

    def threads_mark(self, *, tenant: str = DEFAULT_TENANT) -> str:
        rows = self._newest_first(tenant)[:LISTED_MAX]
        return repr([(row.ref.id, row.head) for row in rows])

    def scrub(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to release; what was kept can still be read."""

    def _named(self, erasing: list[Append]) -> set[tuple[str, str]]:
        """The attachments, by tenant and hash, of the threads that are about to be erased."""
        found = [(a.tenant, self._state.threads.get(ref_of(a))) for a in erasing]
        return {
            (tenant, sha256)
            for tenant, kept in found
            for event in (kept.events if kept else ())
            for sha256 in hashes(event.data)
        }

    def _drop(self, blobs: set[tuple[str, str]]) -> None:
        """Those that no event names any more."""
        for tenant, sha256 in blobs:
            logs = [
                kept.events for ref, kept in self._state.threads.items() if ref.tenant == tenant
            ]
            if not any(sha256 in hashes(event.data) for events in logs for event in events):
                self._blobs.pop((tenant, sha256), None)

    def _ring(self) -> None:
        for heard in list(self._listeners):
            heard()

    def _kept(self, thread_id: str, tenant: str) -> Kept:
        try:
            return self._state.threads[Ref(tenant, thread_id)]
        except KeyError:
            raise unknown(Ref(tenant, thread_id)) from None

    def _newest_first(self, tenant: str) -> list[ThreadRow]:
        threads = self._state.threads.items()
        return [row_of(ref, kept) for ref, kept in threads if ref.tenant == tenant][::-1]


@contextmanager
def _tried(lock: threading.Lock) -> Generator[bool]:
    held = lock.acquire(blocking=False)
    try:
        yield held
    finally:
        if held:
            lock.release()
