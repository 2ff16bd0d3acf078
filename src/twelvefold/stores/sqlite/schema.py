"""Numbered migrations, applied in order inside one transaction, never edited once released."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime

from twelvefold.exceptions import StoreVersion
from twelvefold.stores.sqlite.queries import SQL
from twelvefold.tables.schema import Migration, read_migrations
from twelvefold.thread import to_iso

MIGRATIONS = read_migrations("twelvefold.stores.sqlite")


def schema_version(db: sqlite3.Connection) -> int:
    """The number of the newest migration that ran; 0 when none did."""
    if db.execute(SQL["has_migrations"]).fetchone() is None:
        return 0
    return db.execute(SQL["schema_version"]).fetchone()[0]


def refuse_newer(db: sqlite3.Connection, path: str, newest: int = MIGRATIONS[-1].number) -> None:
    """Raises `StoreVersion` when a newer twelvefold wrote this file."""
    found = schema_version(db)
    if found > newest:
        raise StoreVersion(
            f"{path} has schema {found}; this twelvefold knows schemas up to {newest}."
            " Upgrade this installation; nothing was changed."
        )


def migrate(db: sqlite3.Connection, path: str, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the schema up to date and return how many migrations ran.

    A file that holds threads is first copied to `<path>.before-<number>`. Either all migrations run
    or none; the write lock is held meanwhile, so two processes cannot both migrate.
    """
    newest = migrations[-1].number
    if schema_version(db) == newest:
        return 0
    db.execute("begin immediate")
    try:
        refuse_newer(db, path, newest)
        found = schema_version(db)
        wanted = [migration for migration in migrations if migration.number > found]
        if wanted and found and _holds_threads(db):
            back_up(path, f"{path}.before-{wanted[0].number:04}")
        for migration in wanted:
            _apply(db, migration)
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
    return len(wanted)


def _holds_threads(db: sqlite3.Connection) -> bool:
    return db.execute(SQL["has_threads"]).fetchone() is not None


def back_up(path: str, copy: str) -> None:
    """A copy of the file as it is at one moment, while others write. It gets its name when it is
    whole and on the disk. Raises `sqlite3.Error` and `OSError`, and leaves nothing then."""
    unfinished = f"{copy}.unfinished"
    try:
        _copy(path, unfinished)
        with open(unfinished, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, copy)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)


def _copy(path: str, copy: str) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("pragma journal_mode = delete")  # one file, without a log beside it


def _apply(db: sqlite3.Connection, migration: Migration) -> None:
    for statement in _statements(migration.sql):
        db.execute(statement)
    applied = (migration.number, migration.name, to_iso(datetime.now(UTC)))
    db.execute(SQL["record_migration"], applied)


def _statements(script: str) -> Iterator[str]:
    # Not executescript: it commits the open transaction before it begins.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
