"""The connection that reads: its own, so that no read waits for a commit."""

import sqlite3
import threading
from typing import Any

from twelvefold.stores.sqlite.failures import translated
from twelvefold.stores.sqlite.queries import Named

_SUSPECT = frozenset({"recorded", "said"})
"""Statements that look for what somebody wrote over: what is no text is found, and not an error."""


class Reading:
    """Called with the name of a statement, from any thread, it gives the rows."""

    def __init__(self, db: sqlite3.Connection, path: str) -> None:
        self._db, self._path = Named(db), path
        self._lock = threading.Lock()

    def __call__(self, name: str, parameters: Any) -> list[Any]:
        try:
            with self._lock:
                if name in _SUSPECT:
                    return self._whatever_is_there(name, parameters)
                return self._db.rows(name, parameters)
        except UnicodeEncodeError:
            return []  # a name with a lone surrogate: nothing can be stored under it
        except sqlite3.Error as error:
            raise translated(error, self._path) from error

    def _whatever_is_there(self, name: str, parameters: Any) -> list[Any]:
        before, self._db.raw.text_factory = self._db.raw.text_factory, _any_bytes
        try:
            return self._db.rows(name, parameters)
        finally:
            self._db.raw.text_factory = before

    def close(self) -> None:
        with self._lock:
            self._db.raw.close()


def _any_bytes(text: bytes) -> str:
    return text.decode(errors="surrogateescape")
