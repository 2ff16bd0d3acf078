"""What a store must offer, and a transaction as data.

A transaction is a list of appends: a store applies all of them or none. Decisions and answers carry
`expect`, the head they saw; that check is the claim that makes a step run once. Facts carry neither
`expect` nor `epoch`: they are accepted whatever arrived meanwhile, and are idempotent by key.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, cast

from twelvefold.audit import Audited
from twelvefold.exceptions import ConfigurationError
from twelvefold.inbox import Backlog as Backlog
from twelvefold.inbox import ContactRow as ContactRow
from twelvefold.inbox import Inbox
from twelvefold.inbox import Ref as Ref
from twelvefold.keys import Keyring
from twelvefold.meters import Meters
from twelvefold.repeats import Repeats
from twelvefold.summary import Status, Summary
from twelvefold.thread import DEFAULT_TENANT, Draft, Event, Parent, Thread
from twelvefold.watching import Watched


@dataclass(slots=True)
class Create:
    """The thread that this append begins."""

    agent: str
    parent: Parent | None = None


class Timer(NamedTuple):
    """Wake the thread, or the engine, at `due`. One key is one timer; setting it again moves it."""

    key: str
    due: datetime


@dataclass(slots=True)
class Append:
    """Drafts for one thread, with what must still be true when they are written.

    - `expect`: the head that was seen; `Stale` if any event came later; delivery records only
      matter where it is `exact`, and when the append `refers_to_itself`.
    - `epoch`: the epoch that the advance holds; `Fenced` if the thread has another. With `claim`
      the thread's epoch becomes `epoch + 1` in this transaction.
    - `create`: begin the thread. If it exists: its events with the same keys are returned; without
      such keys, `Conflict`.
    - a draft whose key the log holds: nothing of this append is written but `arms` and, without
      `expect`, `cancel`; the stored events with these keys are returned.
    - `wake`: ask the engine to advance the thread. `timers`, `cancel`: set and drop timers by key.
    - `arms`: set timers of the store itself, those of schedules.
    - `served`: the wake version that this advance answers; the wake ends unless a newer one came.
    - `erase`: the data and salt of every event before this append goes, and what only it names.
    """

    thread_id: str
    drafts: Sequence[Draft]
    tenant: str = DEFAULT_TENANT
    expect: int | None = None
    exact: bool = False
    epoch: int | None = None
    claim: bool = False
    create: Create | None = None
    wake: bool = False
    timers: Sequence[Timer] = ()
    cancel: Sequence[str] = ()
    arms: Sequence[Timer] = ()
    served: int | None = None
    erase: bool = False

    @property
    def is_heard(self) -> bool:
        """Whether an engine has to look up from what it does: a wake, or another next timer."""
        return bool(self.wake or self.timers or self.arms)

    def cancels(self, *, repeated: bool) -> bool:
        """What was judged may be outrun by others with its keys: then the timers are theirs."""
        return not repeated or self.expect is None

    @property
    def refers_to_itself(self) -> bool:
        """Whether a draft names the place that an earlier one will take, or it is `exact`: then
        nothing at all, not even a delivery record, may come in between."""
        seen = self.expect or 0
        return self.exact or any((draft.after or 0) > seen for draft in self.drafts)


class Woken(NamedTuple):
    """A thread that asked to be advanced. `version` rises with each wake."""

    ref: Ref
    version: int


class Due(NamedTuple):
    """A timer, as a rule one whose time has come. The `id` in its `ref` is empty when it belongs to
    the store itself."""

    ref: Ref
    key: str
    due: datetime


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One line of a list of threads."""

    ref: Ref
    agent: str
    head: int
    parent: Parent | None
    summary: Summary

    @property
    def status(self) -> Status:
        return self.summary.status


class Store(Inbox, Protocol):
    """Appends are durable when `commit` returns. A raised error other than `Stale`, `Fenced`,
    `Conflict` and `UnknownThread` is ambiguous: repeat the append with its keys, never assume."""

    async def commit(self, *appends: Append) -> list[list[Event]]:
        """Apply all appends or none; one list of stored events per append.

        An event that this call wrote has the very `data` of its draft; one that was there before
        has its own, so a caller can tell.
        """
        ...

    def commit_now(self, *appends: Append, tx: Any = None) -> list[list[Event]]:
        """As `commit`, for callers without an event loop.

        With `tx` the appends become part of the caller's own transaction, and durable when the
        caller commits it (`TransactionalStore.within`). Raises `ConfigurationError` where the store
        has no transactions to share.
        """
        ...

    def load(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Thread:
        """The whole thread. Raises `UnknownThread`."""
        ...

    def tail(self, thread: Thread) -> Thread:
        """`thread` grown by what was appended since."""
        ...

    def epoch(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> int:
        """How often an advance has claimed the thread."""
        ...

    def threads(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        status: Status | None = None,
        agent: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[ThreadRow]:
        """The newest threads first. `before` is the id of the last row of the page before."""
        ...

    def thread_row(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> ThreadRow:
        """The row of one thread. Raises `UnknownThread`."""
        ...

    def ids_ending(self, suffix: str, *, tenant: str = DEFAULT_TENANT, limit: int = 5) -> list[str]:
        """Thread ids that end so; an id that equals `suffix` comes alone."""
        ...

    def keep(self, content: bytes, *, tenant: str = DEFAULT_TENANT) -> str:
        """Keep bytes under their SHA-256, which is returned in hex; durable by then, and from any
        thread. The same bytes twice are kept once per tenant."""
        ...

    def kept(self, sha256: str, *, tenant: str = DEFAULT_TENANT) -> bytes:
        """The bytes. Raises `UnknownAttachment`."""
        ...

    def close(self) -> None: ...


class TransactionalStore(Store, Protocol):
    """A store that lies in a database where the application keeps rows of its own. `transactional`
    tells whether a store is one."""

    def within(self, tx: Any) -> AbstractContextManager[Store]:
        """This store inside the transaction that `tx` has open, in the thread that owns it.

        What is yielded reads and appends through `tx` and is for the block alone. The write lock is
        taken first; a transaction is begun when none is open. The caller commits or rolls back; its
        work is never ended here. A block that raises before it appended leaves `tx` as it was.
        Raises `ConfigurationError` when `tx` is of another database or commits by itself, and
        `StoreUnavailable` when the lock does not come, or `tx` has read an older state.
        """
        ...

    def transaction(self) -> AbstractContextManager[Any]:
        """A connection of its own that holds the write lock: committed when the block ends, rolled
        back when it raises. `commit_now(tx=...)` takes it. Whoever works in the block cannot end
        the transaction; `NothingHappened` says that they tried, or held it for too long.
        """
        ...


def transactional(store: Store) -> TransactionalStore:
    """Raises `ConfigurationError` when the store has no transactions to share."""
    if not hasattr(store, "transaction"):
        raise ConfigurationError(
            f"{type(store).__name__} shares no transaction with other rows. Use SqliteStore or"
            " PostgresStore, or leave out tx= and in_transaction=True."
        )
    return cast(TransactionalStore, store)


class EmbeddedStore(Store, Audited, Watched, Keyring, Meters, Repeats, Protocol):
    """A store that also keeps the wakes and timers of the embedded engine."""

    @property
    def name(self) -> str:
        """How people know it: a path, or a URL without its password."""
        ...

    def about(self) -> str:
        """The database and its version, in a line."""
        ...

    def woken(self) -> list[Woken]: ...

    def due(self, now: datetime) -> list[Due]: ...

    def next_due(self) -> datetime | None: ...

    def armed(self) -> list[Due]:
        """The timers of the store itself, of all tenants, due or not."""
        ...

    def arm(self, timer: Timer, *, tenant: str = DEFAULT_TENANT) -> None:
        """Set a timer of the store itself; setting it again moves it."""
        ...

    def disarm(self, key: str, *, tenant: str = DEFAULT_TENANT) -> None: ...

    def runner_lock(self) -> AbstractContextManager[bool]:
        """Hold the right to advance threads of this store; False when another process holds it."""
        ...

    def runner_pid(self) -> int | None:
        """The process on this machine that holds that right, so far as can be told."""
        ...

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard`, in the thread that commits, after each commit of this process that woke a
        thread or set a timer. What is returned ends that."""
        ...

    def changed(self) -> bool:
        """Whether another process has committed since the last call: at least if it woke a thread
        or set a timer."""
        ...


class Wakes(Protocol):
    """How an engine is told, inside the store's own transaction `tx`: no event without its
    wake-up."""

    def wake(self, tx: Any, ref: Ref) -> None: ...

    def wake_at(self, tx: Any, ref: Ref, timer: Timer) -> None: ...

    def cancel_wake(self, tx: Any, ref: Ref, key: str) -> None: ...

    def served(self, tx: Any, ref: Ref, version: int) -> None: ...
