"""The store inside a caller's own transaction: business rows and events commit together.

The caller's transaction is never committed or rolled back here. An append locks the rows of its
threads until the caller ends it; what a verb read before may have changed by then, and is read and
judged again.
"""

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from twelvefold.exceptions import ConfigurationError, StoreUnavailable
from twelvefold.store import Append, Wakes
from twelvefold.stores.postgres.clock import StoreClock
from twelvefold.stores.postgres.failures import PASSING, is_no_text, translated
from twelvefold.stores.postgres.queries import Named
from twelvefold.stores.postgres.writer import applied
from twelvefold.tables.reads import Reads
from twelvefold.tables.rows import Row
from twelvefold.tables.wrapped import innermost
from twelvefold.thread import DEFAULT_TENANT, Event

TRIES = 2
"""A thread that somebody else began meanwhile is there for the second one."""


class Joined(Reads):
    """A `Store` on the connection of a caller."""

    def __init__(self, db: Named, name: str, wakes: Wakes, clock: StoreClock) -> None:
        super().__init__(self._rows_of)
        self._db, self._name, self._wakes = db, name, wakes
        self.clock = clock
        self.wrote = False

    async def commit(self, *appends: Append) -> list[list[Event]]:
        return self.commit_now(*appends)

    def commit_now(self, *appends: Append, tx: object = None) -> list[list[Event]]:
        if tx is not None:
            raise ConfigurationError("this store is inside a transaction already: leave out tx=.")
        try:
            events = self._applied(appends)
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise self._said(error) from error
        self.wrote = True
        return events

    def keep(self, content: bytes, *, tenant: str = DEFAULT_TENANT) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self._db.write("keep_blob", (tenant, sha256, len(content), content))
        self.wrote = True
        return sha256

    def close(self) -> None:
        """Nothing to release: the connection is the caller's."""

    def _applied(self, appends: Sequence[Append]) -> list[list[Event]]:
        """All or nothing, whatever the caller's transaction holds besides."""
        for tries in range(1, TRIES + 1):
            try:
                with self._db.raw.transaction():  # a savepoint, as one is open
                    return applied(self._db, appends, self._wakes).events
            except errors.UniqueViolation:
                if tries == TRIES:
                    raise
        raise AssertionError("the last try returned or raised")

    def _rows_of(self, name: str, parameters: Any) -> list[Any]:
        try:
            return self._db.rows(name, parameters)
        except (UnicodeEncodeError, psycopg.Error) as error:
            if is_no_text(error):
                return []
            raise self._said(error) from error

    def _said(self, error: Exception) -> Exception:
        if isinstance(error, PASSING):
            return StoreUnavailable(
                f"tx= met another transaction, or has read {self._name} as it was before somebody"
                f" wrote to it: {str(error).strip()}. Roll back and do it again."
            )
        return translated(error, self._name)


@contextmanager
def joined(
    tx: Any, name: str, identity: Callable[[], Row], wakes: Wakes, clock: StoreClock
) -> Generator[Joined]:
    """The store that `identity` tells apart, inside the transaction of `tx`."""
    db = Named(connection_of(tx))
    began = _expect_transaction(db, name)
    inside = Joined(db, name, wakes, clock)
    try:
        _refuse_other_log(db, name, identity())
        yield inside
    except BaseException:
        if began and not inside.wrote and not db.raw.closed:
            db.raw.rollback()  # there is nothing in it, and it would hold what it has read
        raise


def connection_of(tx: Any) -> "psycopg.Connection[Any]":
    """The driver's connection under `tx`."""
    found = innermost(tx, psycopg.Connection)
    if found is None:
        raise ConfigurationError(
            f"tx= got {type(tx).__name__}, which leads to no psycopg.Connection (psycopg 3). Pass"
            " one, or an SQLAlchemy Session or Connection of postgresql+psycopg://; an async one"
            " cannot be shared."
        )
    return found


def _expect_transaction(db: Named, name: str) -> bool:
    """Whether none was open, so that the first statement begins it."""
    if db.raw.closed:
        raise ConfigurationError("tx= cannot be used here: the connection is closed.")
    status = db.raw.info.transaction_status
    if status == TransactionStatus.INERROR:
        raise StoreUnavailable(
            f"a statement in tx= has failed, so {name} refuses the rest of it. Roll back and do it"
            " again."
        )
    if status == TransactionStatus.IDLE and db.raw.autocommit:
        raise ConfigurationError(
            "tx= is in autocommit mode and has no transaction open, so there is none to join."
            " Begin one: with connection.transaction()."
        )
    return status == TransactionStatus.IDLE


def _refuse_other_log(db: Named, name: str, own: Row) -> None:
    try:
        ((started, database, table),) = db.rows("identity")
    except psycopg.Error as error:
        raise translated(error, name) from error
    if db.raw.info.encoding != "utf-8":
        raise ConfigurationError(
            f"tx= speaks {db.raw.info.encoding}, which cannot hold every text."
            " Connect with client_encoding=utf8."
        )
    if (started, database, table) != tuple(own):
        raise ConfigurationError(
            f"tx= is a transaction of the database {database!r}, where its search_path finds"
            f" {'no log' if table is None else 'another log'}; this log is in {name}. Only rows of"
            " one database commit together: keep your tables in the database of the log."
        )
