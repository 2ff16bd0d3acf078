"""The writing connection: one transaction for a group of requests.

Only one thread writes at a time. `try_group` never waits; `wait_group` waits for the lock.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from twelvefold.exceptions import TwelvefoldError
from twelvefold.store import Append, Ref, Wakes
from twelvefold.stores.sqlite.failures import is_busy, locked, translated
from twelvefold.stores.sqlite.kept import Kept
from twelvefold.stores.sqlite.queries import Named
from twelvefold.tables.appends import Pending, Plan, plan, read_thread, write
from twelvefold.thread import Event

BUSY_PAUSE_S = 0.005
AVERAGE_OVER = 5  # commits, for the running average of their duration

Request = Sequence[Append]
Outcome = list[list[Event]] | Exception
T = TypeVar("T")


class Writer:
    """Commits groups of requests: `transactions` of them; the disk takes `average_s` for one."""

    def __init__(
        self, db: sqlite3.Connection, path: str, wakes: Wakes, *, lock_timeout_s: float
    ) -> None:
        self._db, self._path, self._wakes = db, path, wakes
        self._named = Named(db)
        self._lock_timeout_s = lock_timeout_s
        self._lock = threading.Lock()
        self._seen = self._data_version()
        self._kept = Kept()
        self.transactions = 0
        self.average_s = 0.0

    def try_group(self, group: Sequence[Request]) -> list[Outcome] | None:
        """One outcome per request, or None when another thread or process is writing."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            return self._written(group) if self._begin() else None
        except sqlite3.Error as error:
            return [translated(error, self._path) for _ in group]
        finally:
            self._lock.release()

    def wait_group(self, group: Sequence[Request]) -> list[Outcome]:
        """One outcome per request, `StoreUnavailable` when the lock does not come in time."""
        try:
            return self._alone(lambda _: self._written(group))
        except Exception as error:
            return [error for _ in group]

    def alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Begin a transaction, waiting for its lock, and do `work`, which ends it."""

        def changing_threads(db: sqlite3.Connection) -> T:
            self._kept.clear()  # it may write any row
            return work(db)

        return self._alone(changing_threads)

    def _alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        deadline = time.monotonic() + self._lock_timeout_s
        if not self._lock.acquire(timeout=self._lock_timeout_s):
            raise locked(self._path)
        try:
            while not self._begin():
                if time.monotonic() >= deadline:
                    raise locked(self._path)
                time.sleep(BUSY_PAUSE_S)
            try:
                return work(self._db)
            finally:
                self._undo()
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            self._lock.release()

    def write(self, work: Callable[[sqlite3.Connection, Wakes], None]) -> None:
        """Do `work` in a transaction of its own, waiting for its lock."""

        def work_and_commit(db: sqlite3.Connection) -> None:
            work(db, self._wakes)
            db.execute("commit")

        self.alone(work_and_commit)

    def rewritten(self) -> bool:
        """Whether the file was rewritten, so that nothing deleted is in it any more."""
        deadline = time.monotonic() + self._lock_timeout_s
        if not self._lock.acquire(timeout=self._lock_timeout_s):
            return False
        try:
            while not self._vacuum():
                if time.monotonic() >= deadline:
                    return False
                time.sleep(BUSY_PAUSE_S)
            return True
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            self._lock.release()

    def foreign_commit(self) -> bool:
        """Whether another connection committed since the last call; asked again while we write."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            before, self._seen = self._seen, self._data_version()
            return self._seen != before
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _data_version(self) -> int:
        ((version,),) = self._named.rows("data_version")
        return version

    def _vacuum(self) -> bool:
        try:
            self._named.write("rewrite_file")
            ((busy, _, _),) = self._named.rows("empty_wal")
        except sqlite3.OperationalError as error:
            if is_busy(error):
                return False
            raise
        return not busy

    def _begin(self) -> bool:
        try:
            self._db.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if is_busy(error):
                return False
            raise
        return True

    def _written(self, group: Sequence[Request]) -> list[Outcome]:
        """The outcomes of `group`, in the transaction that is open; it is ended either way."""
        plans: list[Plan] = []
        try:
            self._kept.check(self._named)
            outcomes = [self._apply(request, plans) for request in group]
            started = time.perf_counter()  # the disk alone: a large group says nothing about it
            self._db.execute("commit")
        except Exception as error:
            self._undo()
            self._kept.clear()
            if len(group) == 1:
                return [translated(error, self._path)]
            return self._one_by_one(group)
        finally:
            self._undo()
        self.transactions += 1
        self.average_s += (time.perf_counter() - started - self.average_s) / AVERAGE_OVER
        self._kept.put(plans)
        return outcomes

    def _apply(self, request: Request, plans: list[Plan]) -> Outcome:
        try:
            planned = plan(self._named, request, self._read)
        except TwelvefoldError as refusal:
            return refusal  # nothing of this request was written
        write(self._named, planned, self._wakes)
        plans.append(planned)
        return planned.events

    def _read(self, ref: Ref) -> Pending | None:
        return self._kept.taken(ref) or read_thread(self._named, ref)

    def _one_by_one(self, group: Sequence[Request]) -> list[Outcome]:
        """A write of one request failed and undid all: each gets a transaction of its own."""
        outcomes: list[Outcome] = []
        for request in group:
            outcomes += self._written([request]) if self._begin() else [locked(self._path)]
        return outcomes

    def _undo(self) -> None:
        # SQLite has undone it already after some errors, such as a full disk.
        if self._db.in_transaction:
            self._db.execute("rollback")
