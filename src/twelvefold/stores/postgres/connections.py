"""Connections to one database: opened when needed, used by one caller at a time, kept for the next.

Every one has the settings that the promises of the store rest on: what is acknowledged is on disk,
and nobody waits for a lock without end.
"""

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from twelvefold.exceptions import ConfigurationError, StoreUnavailable
from twelvefold.stores.postgres.failures import shown, translated
from twelvefold.stores.postgres.queries import Named

APPLICATION = "twelvefold"
UNSET: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": APPLICATION,
}
"""What holds where the URL says nothing: a server that is gone is noticed."""


def plain(url: str) -> str:
    """The URL as libpq knows it: SQLAlchemy's names its driver."""
    return re.sub(r"^postgres(ql)?\+psycopg:", "postgresql:", url)


def connect(
    url: str, *, lock_timeout_s: float, kind: "type[psycopg.Connection[Any]]" = psycopg.Connection
) -> Named:
    """A connection in autocommit mode. Raises `StoreUnavailable`, `ConfigurationError`."""
    name = shown(url)
    settings = {k: v for k, v in UNSET.items() if k not in conninfo_to_dict(url)}
    try:
        raw = kind.connect(url, autocommit=True, client_encoding="utf8", **settings)
    except psycopg.Error as error:
        raise translated(error, name) from error
    try:
        return _prepared(raw, name, lock_timeout_s)
    except BaseException as error:
        psycopg.Connection.close(raw)
        if isinstance(error, psycopg.Error):
            raise translated(error, name) from error
        raise


def _prepared(raw: "psycopg.Connection[Any]", name: str, lock_timeout_s: float) -> Named:
    db = Named(raw)
    raw.isolation_level = IsolationLevel.READ_COMMITTED  # a role may have another default
    db.write("configure", (f"{lock_timeout_s:g}s",))
    ((encoding,),) = db.rows("encoding")
    if encoding != "UTF8":
        raise ConfigurationError(
            f"{name} is encoded as {encoding}, which cannot hold every text. Make a database with"
            " encoding 'UTF8'."
        )
    return db


class Busy(Exception):
    """No connection is free and open right now."""


class Pool:
    """At most `connections_max` connections to `url`, for callers in any thread."""

    def __init__(self, url: str, *, connections_max: int, lock_timeout_s: float) -> None:
        self.url, self.name = url, shown(url)
        self.lock_timeout_s = lock_timeout_s
        self._turns = threading.BoundedSemaphore(connections_max)
        self._idle: list[Named] = []
        self._closed = False

    @contextmanager
    def connection(self, *, fresh: bool = False, wait: bool = True) -> Generator[Named]:
        """A connection of the caller's own; `fresh`: none that the server may have dropped. Without
        `wait`, `Busy` unless there is one at once.

        Raises `StoreUnavailable`, also when none becomes free in time.
        """
        if not wait and not self._idle:
            raise Busy
        if not self._turns.acquire(timeout=self.lock_timeout_s if wait else 0):
            if not wait:
                raise Busy
            raise StoreUnavailable(
                f"{self.name}: all connections of this process are in use. Try again, or give"
                " PostgresStore more of them: connections_max=."
            )
        try:
            db = self._taken(fresh=fresh)
            try:
                yield db
            finally:
                self._put_back(db)
        finally:
            self._turns.release()

    def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        self._closed = True
        self._drop_idle()

    def _taken(self, *, fresh: bool) -> Named:
        if self._closed:
            raise StoreUnavailable("the store is closed; open it again.", retryable=False)
        if fresh:
            self._drop_idle()  # when one is dead, they all are, as a rule
        while self._idle:
            with suppress(IndexError):  # another thread was faster
                db = self._idle.pop()
                if is_alive(db):
                    return db
                db.raw.close()
        return connect(self.url, lock_timeout_s=self.lock_timeout_s)

    def _put_back(self, db: Named) -> None:
        is_idle = not db.raw.closed and db.raw.info.transaction_status == TransactionStatus.IDLE
        if is_idle:
            self._idle.append(db)
        else:
            db.raw.close()
        if self._closed:  # asked last: whoever closes at this instant may have seen it in use
            self._drop_idle()

    def _drop_idle(self) -> None:
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().raw.close()


def is_alive(db: Named) -> bool:
    """Whether the server has not ended an idle connection, so far as this side knows: it is not
    asked."""
    try:
        db.raw.pgconn.consume_input()  # its last words, if it said any
        db.raw.pgconn.consume_input()  # that it is gone
    except psycopg.Error:
        return False
    return not db.raw.broken
