"""The world outside: a cluster that keeps what it was told in a SQLite file of its own.

`calls` has a row for every deploy that arrived, `effects` one for each that changed something. A
deploy is idempotent by key: the same key again changes nothing and gives the same answer.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

LOCK_TIMEOUT_S = 5.0
SCHEMA = """
create table if not exists calls (what text not null, tag text not null, key text not null);
create table if not exists effects (key text primary key, what text not null, tag text not null);
"""


class E2eFailed(Exception):
    """The tests ran and did not pass. The message says which."""


class Cluster:
    """Opened anew for each call, so that it may be used from any thread and survives any kill.

    `e2e_fails_in`: the environment whose end-to-end tests fail.
    """

    def __init__(self, path: str | Path, *, e2e_fails_in: str | None = None) -> None:
        self.path, self.e2e_fails_in = Path(path), e2e_fails_in

    def deploy(self, what: str, tag: str, *, key: str) -> str:
        with self._open() as db:
            db.execute("insert into calls values (?, ?, ?)", (what, tag, key))
        with self._open() as db:
            db.execute("insert or ignore into effects values (?, ?, ?)", (key, what, tag))
        return f"{tag} is deployed"

    def e2e(self, environment: str) -> str:
        if environment == self.e2e_fails_in:
            raise E2eFailed(f"41 passed, 1 failed in {environment}: checkout answers 500")
        return "42 passed"

    def ledger(self, key_prefix: str = "") -> list[tuple[str, str, int, int]]:
        """What, tag, how often it was called, how often it took effect; in the order of calls."""
        with self._open() as db:
            return db.execute(
                "select what, tag, count(*),"
                " (select count(*) from effects e where e.key = c.key)"
                " from calls c where substr(key, 1, length(?1)) = ?1"
                " group by key order by min(rowid)",
                (key_prefix,),
            ).fetchall()

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


cluster = Cluster(Path(__file__).parent / "cluster.db")
