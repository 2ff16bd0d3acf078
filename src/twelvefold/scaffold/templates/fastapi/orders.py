"""The product's own data, which was here before: orders and refunds in SQLite. Put yours here."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOCK_TIMEOUT_S = 5.0
SCHEMA = """
create table if not exists orders (number text primary key, item text, cents integer not null);
create table if not exists refunds (key text primary key, number text not null, cents integer);
insert or ignore into orders values ('1007', 'teapot', 4200), ('1008', 'cups', 1800);
"""


@dataclass(frozen=True, slots=True)
class Order:
    number: str
    item: str
    cents: int
    refunded_cents: int


class Orders:
    """Opened anew for each call, so that it may be used from any thread and survives any kill."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, number: str) -> Order | None:
        refunded = "select coalesce(sum(cents), 0) from refunds r where r.number = o.number"
        query = f"select number, item, cents, ({refunded}) from orders o where number = ?"
        with self._open() as db:
            row = db.execute(query, (number,)).fetchone()
        return None if row is None else Order(*row)

    def refund(self, number: str, cents: int, *, key: str) -> None:
        """The same key again, after a crash, refunds nothing."""
        with self._open() as db:
            db.execute("insert or ignore into refunds values (?, ?, ?)", (key, number, cents))

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
