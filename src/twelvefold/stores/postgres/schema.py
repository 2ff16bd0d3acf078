"""Numbered migrations, applied in order inside one transaction, never edited once released.

Nothing but `migrate` changes a schema: who opens a store may have no right to, and a deploy with
several processes must not have them migrate at once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg

from twelvefold.exceptions import StoreVersion
from twelvefold.stores.postgres.connections import connect, plain
from twelvefold.stores.postgres.failures import not_migrated, shown, translated
from twelvefold.stores.postgres.queries import SQL, Named
from twelvefold.tables.schema import Migration, read_migrations
from twelvefold.thread import to_iso

LOCK_TIMEOUT_S = 60.0
"""How long another migration may take."""


MIGRATIONS = read_migrations("twelvefold.stores.postgres")


def schema_version(db: Named) -> int:
    """The number of the newest migration that ran; 0 when none did."""
    if not db.rows("has_migrations"):
        return 0
    ((number,),) = db.rows("schema_version")
    return number


def expect_schema(db: Named, name: str) -> None:
    """Raises `NotMigrated` for a schema that is missing or older, `StoreVersion` for a newer."""
    found, newest = schema_version(db), MIGRATIONS[-1].number
    if found > newest:
        raise newer(name, found, newest)
    if found < newest:
        older = f"it has schema {found}, and {newest} is needed" if found else "it has none yet"
        raise not_migrated(name, older)


def newer(name: str, found: int, newest: int) -> StoreVersion:
    return StoreVersion(
        f"{name} has schema {found}; this twelvefold knows schemas up to {newest}."
        " Upgrade this installation; nothing was changed."
    )


def migrate(url: str, migrations: Sequence[Migration] = MIGRATIONS) -> list[Migration]:
    """Bring the schema at `url` up to date; those that ran. Either all run or none.

    Raises `StoreVersion`, `StoreUnavailable`.
    """
    url = plain(url)
    name = shown(url)
    db = connect(url, lock_timeout_s=LOCK_TIMEOUT_S)
    try:
        with db.raw.transaction():
            db.write("migration_lock")
            found, newest = schema_version(db), migrations[-1].number
            if found > newest:
                raise newer(name, found, newest)
            wanted = [migration for migration in migrations if migration.number > found]
            for migration in wanted:
                _apply(db, migration)
    except psycopg.Error as error:
        raise translated(error, name) from error
    finally:
        db.raw.close()
    return wanted


def script(migrations: Sequence[Migration]) -> str:
    """What `migrate` would run, for those who run it themselves: all of it or nothing."""
    now = "to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    parts = [
        f"-- {m.name}\n{m.sql.rstrip()}\n\n"
        f"insert into twelvefold_migrations values ({m.number}, '{m.name}', {now});\n\n"
        for m in migrations
    ]
    return f"begin;\n{SQL['migration_lock']};\n\n{''.join(parts)}commit;\n" if parts else ""


def _apply(db: Named, migration: Migration) -> None:
    db.raw.execute(migration.sql.encode())
    now = to_iso(datetime.now(UTC))
    db.write("record_migration", (migration.number, migration.name, now))
