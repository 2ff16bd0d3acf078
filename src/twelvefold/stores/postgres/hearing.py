"""Hearing that another process woke a thread or set a timer: LISTEN, on a connection of its own."""

import threading
import time

import psycopg

from twelvefold.stores.postgres.connections import connect
from twelvefold.stores.postgres.failures import shown, translated
from twelvefold.stores.postgres.queries import Named

LOOK_AGAIN_S = 30.0
"""After that long without a word, look: half a connection hears nothing and knows nothing."""


class Ear:
    """Listens from the first `heard()` on. `author` is who needs not be listened to."""

    def __init__(self, url: str, *, author: str, lock_timeout_s: float) -> None:
        self._url, self._author, self._lock_timeout_s = url, author, lock_timeout_s
        self._db: Named | None = None
        self._lock = threading.Lock()
        self._looked = 0.0

    def heard(self) -> bool:
        """Whether somebody else committed a wake or a timer since the last call."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            is_time = time.monotonic() - self._looked > LOOK_AGAIN_S
            heard = self._news() or (is_time and self._looked > 0)
            if heard or not self._looked:
                self._looked = time.monotonic()
            return heard
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.raw.close()
                self._db = None

    def _news(self) -> bool:
        if self._db is None:
            self._db = self._listening()
            return False  # whoever asks for the first time reads afterwards, as a rule
        try:
            authors = {note.payload for note in self._db.raw.notifies(timeout=0)}
        except psycopg.Error:
            self._db.raw.close()
            self._db = self._listening()
            return True
        return bool(authors - {self._author})

    def _listening(self) -> Named:
        db = connect(self._url, lock_timeout_s=self._lock_timeout_s)
        try:
            db.write("listen")
        except psycopg.Error as error:
            db.raw.close()
            raise translated(error, shown(self._url)) from error
        return db
