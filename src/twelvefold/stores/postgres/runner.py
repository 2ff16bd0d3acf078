"""The right to advance the threads of one log: an advisory lock that dies with its connection."""

import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from twelvefold.exceptions import StoreUnavailable
from twelvefold.stores.postgres.connections import APPLICATION, Pool, is_alive
from twelvefold.stores.postgres.failures import translated
from twelvefold.stores.postgres.queries import Named

LOCKS = 0x54574C56
"""TWLV: the first half of the lock's name, which no other application is likely to use."""
NAME_CHARS_MAX = 63
"""Of an application_name."""


class Runner:
    """`expect_held` raises when a lock that is held here was lost with its connection."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._holding: list[Named] = []

    @contextmanager
    def lock(self, *, shared: bool = False) -> Generator[bool]:
        """Hold the lock while inside; False at once when somebody else holds it. `shared`: several
        processes hold it, which give each thread to one of them."""
        kind = "shared_runner_lock" if shared else "runner_lock"
        with self._pool.connection() as db:
            if not self._tried(db, kind):
                yield False
                return
            self._holding.append(db)
            try:
                yield True
            finally:
                self._holding.remove(db)
                with suppress(psycopg.Error):  # it is gone with its connection then
                    db.rows(f"end_{kind}", (LOCKS, APPLICATION))

    def expect_held(self) -> None:
        """Raises `StoreUnavailable`."""
        if all(map(is_alive, self._holding)):
            return
        raise StoreUnavailable(
            f"{self._pool.name}: the connection that holds the right to advance threads was lost,"
            " and with it the right. Start again; the threads go on where they were."
        )

    def _tried(self, db: Named, kind: str) -> bool:
        try:
            ((held,),) = db.rows(f"try_{kind}", (LOCKS, _own_name()))
        except psycopg.Error as error:
            raise translated(error, self._pool.name) from error
        return held is not None


def runner_pid(ask: Callable[[str, Any], list[Any]]) -> int | None:
    """The process on this machine that advances threads; None when nobody here does."""
    for (name,) in ask("runner", (LOCKS,)):
        words = str(name).split()
        if words[:2] == [APPLICATION, "runner"] and words[3:] == [_host()]:
            return int(words[2])
    return None


def _own_name() -> str:
    return f"{APPLICATION} runner {os.getpid()} {_host()}"


def _host() -> str:
    room = NAME_CHARS_MAX - len(f"{APPLICATION} runner {2**32} ")
    return socket.gethostname().encode("ascii", "replace").decode()[:room]
