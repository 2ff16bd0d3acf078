"""The SQLite store: appends in group commits on one connection, reads on another."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from twelvefold.store import Append, Ref, Timer, Wakes
from twelvefold.stores.sqlite.groups import Groups
from twelvefold.stores.sqlite.joining import Joined, joined
from twelvefold.stores.sqlite.lending import lent
from twelvefold.stores.sqlite.opening import open_database
from twelvefold.stores.sqlite.queries import SQL, Named
from twelvefold.stores.sqlite.reading import Reading
from twelvefold.stores.sqlite.runner import runner_lock, runner_pid
from twelvefold.stores.sqlite.schema import schema_version
from twelvefold.stores.sqlite.wakes import RowWakes
from twelvefold.stores.sqlite.writer import Writer
from twelvefold.tables.keys import KeyTable
from twelvefold.tables.meters import MeterTable
from twelvefold.tables.projections import Rebuilt, rebuild
from twelvefold.tables.reads import Reads
from twelvefold.tables.repeats import RepeatTable
from twelvefold.thread import DEFAULT_TENANT, Event

LOCK_TIMEOUT_S = 5.0


class SqliteStore(Reads, KeyTable, MeterTable, RepeatTable):
    """An `EmbeddedStore` in the file at `path`, which is created, with its folders, when missing.

    `commit` belongs to an event loop; everything else may be called from any thread. `wakes`
    replaces the rows of this file as the way an engine is told. Waiting for another process ends
    after `lock_timeout_s` as `StoreUnavailable`.

    Raises `ConfigurationError`, `StoreUnavailable`, `StoreCorrupt`, `StoreVersion`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        wakes: Wakes | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        self.path = str(path)
        write, read = open_database(self.path, lock_timeout_s=lock_timeout_s)
        self._reading = Reading(read, self.path)
        super().__init__(self._reading)
        self._wakes = wakes or RowWakes()
        self._lock_timeout_s = lock_timeout_s
        self._file = os.path.realpath(self.path)  # wherever the process goes later
        self._writer = Writer(write, self.path, self._wakes, lock_timeout_s=lock_timeout_s)
        self._groups = Groups(self._writer, self._tell)
        self._listeners: list[Callable[[], None]] = []

    @property
    def transactions(self) -> int:
        """How many SQLite transactions this store has committed."""
        return self._writer.transactions

    async def commit(self, *appends: Append) -> list[list[Event]]:
        return await self._groups.commit(appends)

    def commit_now(self, *appends: Append, tx: Any = None) -> list[list[Event]]:
        if tx is not None:
            with self.within(tx) as inside:
                return inside.commit_now(*appends)
        (outcome,) = self._writer.wait_group([appends])
        if isinstance(outcome, Exception):
            raise outcome
        self._tell(appends)
        return outcome

    def within(self, tx: Any) -> AbstractContextManager[Joined]:
        """`tx`: a `sqlite3.Connection` on this file, or an SQLAlchemy `Session` or `Connection`.

        How long its commit is durable against a loss of power is the setting of that connection
        (`pragma synchronous`). The engine notices the commit by polling.
        """
        return joined(tx, self._file, self._wakes)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Waits for the lock as long as `lock_timeout_s`; held for `TRANSACTION_TIMEOUT_S` at
        most."""
        return lent(self._file, lock_timeout_s=self._lock_timeout_s)

    def rebuild(self) -> Rebuilt:
        """Derive summaries and contacts again from the log, and wakes and timers that are gone."""
        return self._writer.alone(lambda db: _rebuild(db, self._wakes))

    def arm(self, timer: Timer, *, tenant: str = DEFAULT_TENANT) -> None:
        self._writer.write(lambda db, wakes: wakes.wake_at(db, Ref(tenant, ""), timer))
        self._ring()

    def disarm(self, key: str, *, tenant: str = DEFAULT_TENANT) -> None:
        self._writer.write(lambda db, wakes: wakes.cancel_wake(db, Ref(tenant, ""), key))

    def keep(self, content: bytes, *, tenant: str = DEFAULT_TENANT) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        row = (tenant, sha256, len(content), content)

        def insert(db: sqlite3.Connection, _: Wakes) -> None:
            db.execute(SQL["keep_blob"], row)

        self._writer.write(insert)
        return sha256

    def scrub(self) -> bool:
        """Rewrite the file and empty its write-ahead log; False when another process is at work
        there. It takes as much room again as the file has."""
        return self._writer.rewritten()

    @property
    def name(self) -> str:
        return self.path

    def about(self) -> str:
        return self._writer.alone(_about)

    def runner_pid(self) -> int | None:
        return runner_pid(self._file)

    def runner_lock(self) -> AbstractContextManager[bool]:
        return runner_lock(self._file)

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        """`heard` runs in the thread that committed; a timer that was set counts as well."""
        self._listeners.append(heard)
        return partial(self._listeners.remove, heard)

    def changed(self) -> bool:
        return self._writer.foreign_commit()

    def close(self) -> None:
        self._groups.close()
        self._writer.close()
        self._reading.close()

    def _returned(self, name: str, parameters: Any) -> list[Any]:
        def run(db: sqlite3.Connection) -> list[Any]:
            rows = Named(db).rows(name, parameters)
            db.execute("commit")
            return rows

        return self._writer.alone(run)

    def _tell(self, appends: Sequence[Append]) -> None:
        for append in appends:
            if append.is_heard:
                return self._ring()

    def _ring(self) -> None:
        for heard in list(self._listeners):
            heard()


def _rebuild(db: sqlite3.Connection, wakes: Wakes) -> Rebuilt:
    rebuilt = rebuild(Named(db), wakes)
    db.execute("commit")
    return rebuilt


def _about(db: sqlite3.Connection) -> str:
    (mode,) = db.execute("pragma journal_mode").fetchone()
    schema = schema_version(db)
    db.execute("rollback")
    return f"SQLite {sqlite3.sqlite_version}, journal mode {mode}, schema {schema}"
