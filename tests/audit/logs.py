"""Real logs in each store, and a raw connection to what lies below it.

A test module imports these fixtures by `from logs import *`.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from histories import history
from twelvefold.audit import Recorded
from twelvefold.store import Append, Create
from twelvefold.stores import open_store
from twelvefold.stores.postgres.queries import Named as PostgresNamed
from twelvefold.stores.sqlite.queries import Named as SqliteNamed
from twelvefold.tables.reads import Reads
from twelvefold.thread import Draft, Parent

COLUMNS = ("seq", "type", "v", "key", "after", "at", "data", "salt", "commit", "chain")
_QUOTED = ", ".join(f'"{column}"' for column in COLUMNS)


def write(store: Any, id: str, *, seed: int, moves: int) -> None:
    """A thread whose history could have happened."""
    thread = history(random.Random(seed).choices(range(1000), k=moves))
    drafts = [Draft(e.type, e.data, e.at, key=e.key, after=e.after) for e in thread.events]
    parent = Parent("root", "s1", "hand") if seed % 2 else None
    store.commit_now(Append(id, drafts, create=Create("bot", parent)))


class Raw:
    """What somebody who may write to the database can do, undone after each block."""

    def __init__(self, kind: str, connection: Any) -> None:
        self.db, self._mark = connection, "?" if kind == "sqlite" else "%s"
        self._is_file = kind == "sqlite"
        named = (SqliteNamed if self._is_file else PostgresNamed)(connection)
        self.reads = Reads(named.rows)

    @contextmanager
    def undone(self) -> Iterator[None]:
        self.db.execute("begin")
        try:
            yield
        finally:
            self.db.execute("rollback")

    def run(self, sql: str, *values: Any) -> list[Any]:
        cursor = self.db.execute(sql.replace("?", self._mark), values)
        return cursor.fetchall() if cursor.description else []

    def number(self, id: str) -> int:
        return self.run("select n from twelvefold_threads where id = ?", id)[0][0]

    def rows(self, id: str) -> list[dict[str, Any]]:
        found = self.run(
            f"select {_QUOTED} from twelvefold_events where thread = ? order by seq",
            self.number(id),
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in found]

    def put(self, id: str, rows: list[dict[str, Any]], *, beginning: int = 0) -> None:
        """These rows, from the one with this seq on, in the place of those that were there."""
        n = self.number(id)
        self.run("delete from twelvefold_events where thread = ? and seq >= ?", n, beginning)
        for row in [row for row in rows if row["seq"] >= beginning]:
            values = [row[column] for column in COLUMNS]
            place = ([(n << 32) + row["seq"]], "place, ") if self._is_file else ([], "")
            marks = ", ".join("?" * (len(values) + 1 + self._is_file))
            self.run(
                f"insert into twelvefold_events ({place[1]}thread, {_QUOTED}) values ({marks})",
                *place[0],
                n,
                *values,
            )

    def change(self, id: str, seq: int, column: str, value: Any) -> None:
        self.run(
            f'update twelvefold_events set "{column}" = ? where thread = ? and seq = ?',
            value,
            self.number(id),
            seq,
        )

    def change_row(self, id: str, column: str, value: Any) -> None:
        self.run(f"update twelvefold_threads set {column} = ? where id = ?", value, id)

    def recorded(self, id: str) -> Recorded:
        return self.reads.recorded(id)


def raw_of(kind: str, store: Any, url: str | None) -> Raw:
    if kind == "sqlite":
        return Raw(kind, sqlite3.connect(store.path, isolation_level=None))
    assert url is not None
    return Raw(kind, psycopg.connect(url, autocommit=True))


THREADS = {"t0": 9, "t1": 12, "t2": 16}
"""Threads, and how many moves each has seen."""


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return str(tmp_path / "agents.db")
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url: str) -> Iterator[Any]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def logs(store: Any) -> list[str]:
    """The ids of real threads."""
    for seed, (id, moves) in enumerate(THREADS.items()):
        write(store, id, seed=seed, moves=moves)
    return list(THREADS)


@pytest.fixture
def raw(kind: str, store: Any, url: str) -> Iterator[Raw]:
    opened = raw_of(kind, store, url)
    yield opened
    opened.db.close()
