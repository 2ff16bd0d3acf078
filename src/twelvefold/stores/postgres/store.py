"""The Postgres store: each commit a transaction of its own, in a thread when a loop asks for it."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from uuid import uuid4

from twelvefold.store import Append, Ref, Timer
from twelvefold.stores.postgres.clock import StoreClock
from twelvefold.stores.postgres.connections import Pool, plain
from twelvefold.stores.postgres.hearing import Ear
from twelvefold.stores.postgres.joining import Joined, joined
from twelvefold.stores.postgres.lanes import Commits, Lanes
from twelvefold.stores.postgres.lending import Lent, lent
from twelvefold.stores.postgres.queries import Named
from twelvefold.stores.postgres.reading import Reading
from twelvefold.stores.postgres.runner import Runner, runner_pid
from twelvefold.stores.postgres.schema import expect_schema, schema_version
from twelvefold.stores.postgres.wakes import Hears, RowWakes
from twelvefold.stores.postgres.writer import Writer
from twelvefold.tables.keys import KeyTable
from twelvefold.tables.meters import MeterTable
from twelvefold.tables.projections import Rebuilt, rebuild
from twelvefold.tables.reads import Reads, unknown
from twelvefold.tables.repeats import RepeatTable
from twelvefold.tables.rows import event_of, parent_of
from twelvefold.thread import DEFAULT_TENANT, Event, Thread

LOCK_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 10
KEPT_FREE = 2
"""Connections that commits leave to those who read, and to the runner."""
STRANGER = ""
"""The author of commits that this store itself has to hear of."""


class PostgresStore(Reads, KeyTable, MeterTable, RepeatTable):
    """An `EmbeddedStore` and a `TransactionalStore` in the database at `url`, whose schema
    `twelvefold db migrate` made.

    Everything may be called from any thread. Waiting for another transaction, or for a connection
    of this process, ends after `lock_timeout_s` as `StoreUnavailable`. `clock` is the time of the
    database.

    Raises `ConfigurationError`, `NotMigrated`, `StoreUnavailable`, `StoreVersion`.
    """

    def __init__(
        self,
        url: str,
        *,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._url, self._lock_timeout_s = plain(url), lock_timeout_s
        self._pool = Pool(self._url, connections_max=connections_max, lock_timeout_s=lock_timeout_s)
        self._reading = Reading(self._pool)
        super().__init__(self._reading)
        self.clock = StoreClock(self._reading)
        author = uuid4().hex
        self._told: list[Hears] = []
        self._wakes = RowWakes(author, self._told)
        self._wakes_of_others = RowWakes(STRANGER, self._told)
        self._writer = Writer(self._pool, self._wakes)
        threads_max = max(1, connections_max - KEPT_FREE)
        commits = Commits(self._committed, self._committed_at_once, self._committed_together)
        self._lanes = Lanes(commits, threads_max=threads_max)
        self._ear = Ear(self._url, author=author, lock_timeout_s=lock_timeout_s)
        self._runner = Runner(self._pool)
        self._listeners: list[Callable[[], None]] = []
        self._expect_schema()

    @property
    def name(self) -> str:
        return self._pool.name

    @property
    def url(self) -> str:
        """With its password, for who connects beside this store."""
        return self._url

    def tell(self, hears: Hears) -> None:
        """From now on tell another engine, too, in each transaction that wakes threads."""
        self._told.append(hears)

    def load(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Thread:
        rows = self._reading("whole_thread", (tenant, thread_id))
        if not rows:
            raise unknown(thread_id, tenant)
        agent, *launched = rows[0][:4]
        events = [event_of(row[4:]) for row in rows if row[4] is not None]
        return Thread(thread_id, agent, events, tenant=tenant, parent=parent_of(*launched))

    def epoch(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> int:
        """Whoever asks is about to advance the thread: what its first append finds is read, too."""
        for row in self._reading("thread_as_it_is", (tenant, thread_id)):
            self._writer.learn(Ref(tenant, thread_id), row)
            return row[3]
        raise unknown(thread_id, tenant)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        return await self._lanes.commit(appends)

    def commit_now(self, *appends: Append, tx: Any = None) -> list[list[Event]]:
        if tx is not None:
            with self.within(tx) as inside:
                return inside.commit_now(*appends)
        return self._committed(appends)

    def within(self, tx: Any) -> AbstractContextManager[Joined]:
        """`tx`: a `psycopg.Connection` to this database, or an SQLAlchemy `Session` or
        `Connection`.

        Rows of the threads are locked when something is appended to them, not before; what a verb
        read is judged again when it has changed by then. The engine hears of the commit at once.
        """
        return joined(tx, self.name, self._identity, self._wakes_of_others, self.clock)

    def transaction(self) -> AbstractContextManager[Lent]:
        """Held for `TRANSACTION_TIMEOUT_S` at most. It locks the rows that the block writes, and
        the thread's own when its event is appended."""
        return lent(self._url, lock_timeout_s=self._lock_timeout_s)

    def rebuild(self) -> Rebuilt:
        """Derive summaries and contacts again from the log, and wakes and timers that are gone.
        Appends wait meanwhile."""

        def again(db: Named) -> Rebuilt:
            db.write("stop_appends")
            return rebuild(db, self._wakes)

        return self._writer.write(again)

    def arm(self, timer: Timer, *, tenant: str = DEFAULT_TENANT) -> None:
        self._writer.write(lambda db: self._wakes.wake_at(db.raw, Ref(tenant, ""), timer))
        self._ring()

    def disarm(self, key: str, *, tenant: str = DEFAULT_TENANT) -> None:
        self._writer.write(lambda db: self._wakes.cancel_wake(db.raw, Ref(tenant, ""), key))

    def keep(self, content: bytes, *, tenant: str = DEFAULT_TENANT) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        row = (tenant, sha256, len(content), content)
        self._writer.write(lambda db: db.write("keep_blob", row))
        return sha256

    def scrub(self) -> bool:
        """False: the server rewrites its tables, when its owner tells it to (`vacuum full`)."""
        return False

    def about(self) -> str:
        with self._pool.connection() as db:
            server = db.raw.info.parameter_status("server_version")
            return f"PostgreSQL {server}, schema {schema_version(db)}"

    def runner_lock(self, *, shared: bool = False) -> AbstractContextManager[bool]:
        return self._runner.lock(shared=shared)

    def runner_pid(self) -> int | None:
        """The process on this machine that advances threads of this log."""
        return runner_pid(self._reading)

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        """`heard` runs in the thread that committed; a timer that was set counts as well."""
        self._listeners.append(heard)
        return partial(self._listeners.remove, heard)

    def changed(self) -> bool:
        """Whether another process woke a thread or set a timer since the last call.

        Raises `StoreUnavailable` when the right to advance threads was lost with its connection.
        """
        self._runner.expect_held()
        return self._ear.heard()

    def close(self) -> None:
        self._lanes.close()
        self._ear.close()
        self._pool.close()

    def _expect_schema(self) -> None:
        try:
            with self._pool.connection() as db:
                expect_schema(db, self.name)
        except BaseException:
            self.close()
            raise

    def _returned(self, name: str, parameters: Any) -> list[Any]:
        return self._writer.write(lambda db: db.rows(name, parameters))

    def _committed(self, appends: Sequence[Append]) -> list[list[Event]]:
        events = self._writer.commit(appends)
        if any(append.is_heard for append in appends):
            self._ring()
        return events

    def _committed_at_once(self, appends: Sequence[Append]) -> list[list[Event]] | None:
        events = self._writer.commit_at_once(appends)
        if events is not None and any(append.is_heard for append in appends):
            self._ring()
        return events

    def _committed_together(
        self, requests: Sequence[Sequence[Append]]
    ) -> list[list[list[Event]] | None]:
        outcomes = self._writer.commit_together(requests)
        for appends, events in zip(requests, outcomes, strict=True):
            if events is not None and any(append.is_heard for append in appends):
                self._ring()
                break
        return outcomes

    def _identity(self) -> Any:
        return self._reading("identity")[0]

    def _ring(self) -> None:
        for heard in list(self._listeners):
            heard()
