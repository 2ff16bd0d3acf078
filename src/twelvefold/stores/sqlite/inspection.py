"""Looking at a file without changing it: opening a store would migrate it."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twelvefold.stores.sqlite.failures import translated
from twelvefold.stores.sqlite.queries import SQL
from twelvefold.stores.sqlite.schema import MIGRATIONS, Migration, schema_version

COUNTED = ("threads", "events", "open_contacts", "wakes", "timers")


@dataclass(frozen=True, slots=True)
class Inspection:
    """`schema` is the newest migration that ran, `known` the newest of this version."""

    path: str
    exists: bool
    schema: int = 0
    known: int = MIGRATIONS[-1].number
    pending: Sequence[Migration] = ()
    bytes: int = 0
    wal_bytes: int = 0
    rows: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_newer(self) -> bool:
        return self.schema > self.known


def inspect(path: str) -> Inspection:
    """Raises `StoreUnavailable`, `StoreCorrupt`."""
    file = Path(path)
    if not file.exists():
        return Inspection(path, exists=False, pending=MIGRATIONS)
    try:
        db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return _inspected(db, path)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise translated(error, path) from error


def _inspected(db: sqlite3.Connection, path: str) -> Inspection:
    schema = schema_version(db)
    wal = Path(f"{path}-wal")
    known = MIGRATIONS[-1].number
    # A newer schema may have other tables, and an empty file has none.
    counts = {name: _count(db, name) for name in COUNTED} if 0 < schema <= known else {}
    return Inspection(
        path,
        exists=True,
        schema=schema,
        pending=[migration for migration in MIGRATIONS if migration.number > schema],
        bytes=Path(path).stat().st_size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        rows=counts,
    )


def _count(db: sqlite3.Connection, name: str) -> int:
    return db.execute(SQL[f"count_{name}"]).fetchone()[0]
