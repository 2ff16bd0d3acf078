"""The store inside a caller's own transaction: business rows and events commit together.

The caller's connection works in the caller's thread. Its transaction is never committed or rolled
back here, and the write lock is taken before anything is read: what was checked cannot change.
"""

import hashlib
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from twelvefold.exceptions import ConfigurationError, StoreUnavailable
from twelvefold.store import Append, Wakes
from twelvefold.stores.sqlite.failures import translated
from twelvefold.stores.sqlite.queries import SQL, Named
from twelvefold.stores.sqlite.reading import Reading
from twelvefold.tables.appends import Plan, plan, read_thread, write
from twelvefold.tables.reads import Reads
from twelvefold.tables.wrapped import innermost
from twelvefold.thread import DEFAULT_TENANT, Event

LEGACY = -1
"""`Connection.autocommit` where `isolation_level` decides: always, before Python 3.12."""


class Joined(Reads):
    """A `Store` on the connection of a caller that holds the write lock."""

    def __init__(self, db: sqlite3.Connection, path: str, wakes: Wakes) -> None:
        self._db, self._path, self._wakes = Named(db), path, wakes
        super().__init__(Reading(db, path))
        self.wrote = False

    async def commit(self, *appends: Append) -> list[list[Event]]:
        return self.commit_now(*appends)

    def commit_now(self, *appends: Append, tx: object = None) -> list[list[Event]]:
        if tx is not None:
            raise ConfigurationError("this store is inside a transaction already: leave out tx=.")
        try:
            planned = plan(self._db, appends, partial(read_thread, self._db))
            self._write(planned)
        except Exception as error:
            raise translated(error, self._path) from error
        self.wrote = True
        return planned.events

    def keep(self, content: bytes, *, tenant: str = DEFAULT_TENANT) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self._db.write("keep_blob", (tenant, sha256, len(content), content))
        self.wrote = True
        return sha256

    def close(self) -> None:
        """Nothing to release: the connection is the caller's."""

    def _write(self, planned: Plan) -> None:
        """All or nothing, whatever the caller's transaction holds besides."""
        db = self._db.raw
        db.execute("savepoint twelvefold")
        try:
            write(self._db, planned, self._wakes)
        except BaseException:
            if db.in_transaction:  # SQLite itself undoes all of it after some errors
                db.execute("rollback to twelvefold")
                db.execute("release twelvefold")
            raise
        db.execute("release twelvefold")


@contextmanager
def joined(tx: Any, path: str, wakes: Wakes) -> Generator[Joined]:
    """The store at `path` inside the transaction of `tx`."""
    db = connection_of(tx)
    with _plain_rows(db):
        _refuse_other_file(db, path)
        began = _take_write_lock(db, path)
        inside = Joined(db, path, wakes)
        try:
            yield inside
        except BaseException:
            if began and not inside.wrote and db.in_transaction:
                db.execute("rollback")  # there is nothing in it, and it would hold the lock
            raise


def connection_of(tx: Any) -> sqlite3.Connection:
    """The driver's connection under `tx`, found without importing what wraps it."""
    found = innermost(tx, sqlite3.Connection)
    if found is not None:
        return found
    raise ConfigurationError(
        f"tx= got {type(tx).__name__}, which leads to no sqlite3.Connection. Pass one, or an"
        " SQLAlchemy Session or Connection; an async one works in another thread and cannot be"
        " shared."
    )


@contextmanager
def _plain_rows(db: sqlite3.Connection) -> Generator[None]:
    """Rows as tuples of str, while ours are read; the caller may have chosen otherwise."""
    row_factory, text_factory = db.row_factory, db.text_factory
    db.row_factory, db.text_factory = None, str
    try:
        yield
    finally:
        db.row_factory, db.text_factory = row_factory, text_factory


def _refuse_other_file(db: sqlite3.Connection, path: str) -> None:
    try:
        ((file,),) = db.execute(SQL["main_file"]).fetchall()
    except sqlite3.ProgrammingError as error:  # closed, or of another thread
        raise ConfigurationError(f"tx= cannot be used here: {error}") from error
    if not (file and os.path.exists(file) and os.path.samefile(file, path)):
        raise ConfigurationError(
            f"tx= is a transaction of {file or 'a database in memory'}, but the log is in {path}."
            " Only rows of one file commit together: keep your tables in the file of the log."
        )


def _take_write_lock(db: sqlite3.Connection, path: str) -> bool:
    """Whether a transaction was begun for it."""
    began = not db.in_transaction
    if began and _commits_by_itself(db):
        raise ConfigurationError(
            "tx= is in autocommit mode and has no transaction open, so there is none to join."
            ' Begin one: connection.execute("begin immediate").'
        )
    try:
        db.execute("begin immediate" if began else SQL["take_write_lock"])
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY_SNAPSHOT:
            raise StoreUnavailable(
                f"tx= has read {path} as it was before somebody wrote to it. Roll back and do it"
                ' again; "begin immediate" at the start spares you this.'
            ) from error
        raise translated(error, path) from error
    return began


def _commits_by_itself(db: sqlite3.Connection) -> bool:
    autocommit = getattr(db, "autocommit", LEGACY)
    return db.isolation_level is None if autocommit == LEGACY else bool(autocommit)
