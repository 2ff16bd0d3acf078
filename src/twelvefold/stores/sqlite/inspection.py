"""Looking at a file without changing it: opening a store would migrate it."""

import sqlite3
from pathlib import Path

from twelvefold.stores.sqlite.failures import translated
from twelvefold.stores.sqlite.queries import SQL
from twelvefold.stores.sqlite.schema import MIGRATIONS, schema_version
from twelvefold.tables.schema import COUNTED, Inspection

KNOWN = MIGRATIONS[-1].number


def inspect(path: str) -> Inspection:
    """Raises `StoreUnavailable`, `StoreCorrupt`."""
    file = Path(path)
    if not file.exists():
        return Inspection(path, KNOWN, exists=False, pending=MIGRATIONS, wal_bytes=0)
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
    # A newer schema may have other tables, and an empty file has none.
    counts = {name: _count(db, name) for name in COUNTED} if 0 < schema <= KNOWN else {}
    return Inspection(
        path,
        KNOWN,
        schema=schema,
        pending=[migration for migration in MIGRATIONS if migration.number > schema],
        bytes=Path(path).stat().st_size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        rows=counts,
    )


def _count(db: sqlite3.Connection, name: str) -> int:
    return db.execute(SQL[f"count_{name}"]).fetchone()[0]
