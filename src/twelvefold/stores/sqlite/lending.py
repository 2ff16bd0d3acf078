"""A connection lent to a tool, so that its rows commit with the event that says what it did.

Whoever works on it can neither commit nor roll back, and nothing runs on it after the transaction
has ended (as SQLite does by itself after some errors): it would be a transaction of its own.
"""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, cast

from twelvefold.exceptions import NothingHappened
from twelvefold.stores.sqlite.failures import translated

TRANSACTION_TIMEOUT_S = 3.0
"""Less than `LOCK_TIMEOUT_S`: whoever waits for the lock meanwhile still gets it."""

_ENDS = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})
_ENDED = "SQLite ended its transaction after an error"
_MEDDLED = (
    "it tried to commit, roll back, attach or close call.connection, which commits by itself with"
    " the outcome of the tool: return to keep what was written, raise to undo it"
)


@contextmanager
def lent(
    path: str, *, lock_timeout_s: float, timeout_s: float = TRANSACTION_TIMEOUT_S
) -> Generator["Lent"]:
    """A connection that holds the write lock. What the block did is committed, or undone when it
    raises, meddles with the transaction, or takes longer than `timeout_s`: `NothingHappened`."""
    try:
        # The timer rolls back from a thread of its own; `turn` keeps the two apart.
        db = Lent(path, timeout=lock_timeout_s, check_same_thread=False)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    clock = threading.Timer(timeout_s, db.expire, [timeout_s])
    try:
        db.begin()
        clock.start()
        yield db
        db.keep()
    except Exception as error:
        if db.refused is not None:
            raise NothingHappened(f"{db.refused}. Nothing was kept.") from error
        raise
    finally:
        clock.cancel()
        db.take_back()


class Lent(sqlite3.Connection):
    """`refused` says why nothing that is done here may be kept; None while all is well."""

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(path, **options)
        self._path = path
        self.refused: str | None = None
        self._turns = threading.Lock()

    def begin(self) -> None:
        """Take the write lock. Foreign keys are checked: a tool that declares them means them."""
        for statement in (
            "pragma foreign_keys = on",
            "pragma synchronous = full",
            "begin immediate",
        ):
            self._freely(statement)
        self.set_authorizer(self._authorize)

    def keep(self) -> None:
        """Commit. Raises `NothingHappened` when it may not be kept."""
        with self.turn():
            self.set_authorizer(None)
            self._freely("commit")

    def expire(self, timeout_s: float) -> None:
        """From the timer's thread: give the lock back although the borrower still works."""
        self._refuse(
            f"it held the write lock for more than {timeout_s:g} s. Do slow work before it"
        )
        with suppress(sqlite3.ProgrammingError):  # it was closed a moment ago
            self.interrupt()
            with self._turns:
                self._undo()

    def take_back(self) -> None:
        """Undo what was not committed, and close."""
        with self._turns:
            self._undo()
            super().close()

    @contextmanager
    def turn(self) -> Generator[None]:
        """While something is executed for the borrower."""
        with self._turns:
            self._expect_open()
            yield

    def _expect_open(self) -> None:
        """Raises `NothingHappened` when nothing may be executed any more."""
        if not self.in_transaction:
            self._refuse(_ENDED)
        if self.refused is not None:
            raise NothingHappened(f"{self.refused}.")

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Guarded)

    # sqlite3's own shortcuts do not ask `cursor` in every version of Python.

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:
        return self.cursor().executescript(*arguments)

    def close(self) -> None:
        self._refuse(_MEDDLED)
        raise NothingHappened(_MEDDLED)

    def _authorize(self, action: int, *_: str | None) -> int:
        if action not in _ENDS:
            return sqlite3.SQLITE_OK
        self._refuse(_MEDDLED)
        return sqlite3.SQLITE_DENY

    def _refuse(self, why: str) -> None:
        self.refused = self.refused or why

    def _undo(self) -> None:
        self.set_authorizer(None)
        if self.in_transaction:
            self._freely("rollback")

    def _freely(self, statement: str) -> None:
        try:
            sqlite3.Cursor(self).execute(statement)
        except sqlite3.IntegrityError:
            raise  # a deferred constraint of the borrower's rows
        except sqlite3.Error as error:
            raise translated(error, self._path) from error


class _Guarded(sqlite3.Cursor):
    """Executes only while the transaction is open, and never while the timer ends it."""

    def execute(self, *arguments: Any) -> Any:
        with self._turn():
            return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        with self._turn():
            return super().executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:
        with self._turn():
            return super().executescript(*arguments)

    def _turn(self) -> AbstractContextManager[None]:
        return cast(Lent, self.connection).turn()
