"""Stands in for the world outside: a cluster that keeps in SQLite what it was told. Put yours here.

`calls` has a row for every deploy that arrived, `effects` one for each that changed something: the
same key again, after a crash, changes nothing and gives the same answer.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

LOCK_TIMEOUT_S = 5.0
RELEASES = ("v1.4.0", "v1.3.2", "v1.3.1")  # the newest first
SCHEMA = """
create table if not exists calls (what text not null, tag text not null, key text not null);
create table if not exists effects (key text primary key, what text not null, tag text not null);
"""


class Cluster:
    """Opened anew for each call, so that it may be used from any thread and survives any kill."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def releases(self) -> list[str]:
        return list(RELEASES)

    def deploy(self, what: str, tag: str, *, key: str) -> str:
        with self._open() as db:
            db.execute("insert into calls values (?, ?, ?)", (what, tag, key))
        with self._open() as db:
            db.execute("insert or ignore into effects values (?, ?, ?)", (key, what, tag))
        return f"{tag} is live"

    def effects(self) -> dict[str, int]:
        """What changed, and how often."""
        count = "select what || ' ' || tag, count(*) from effects group by 1 order by min(rowid)"
        with self._open() as db:
            return dict(db.execute(count).fetchall())

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """One transaction, durable when it ends."""
        db = sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_S)
        try:
            db.executescript(SCHEMA)
            with db:
                yield db
        finally:
            db.close()
