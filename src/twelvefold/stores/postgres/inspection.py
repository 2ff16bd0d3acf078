"""Looking at a database without changing it, whatever its schema is."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from twelvefold.stores.postgres.connections import connect, plain
from twelvefold.stores.postgres.failures import shown, translated
from twelvefold.stores.postgres.queries import Named
from twelvefold.stores.postgres.schema import MIGRATIONS, schema_version
from twelvefold.tables.schema import COUNTED, Inspection

KNOWN = MIGRATIONS[-1].number
LOCK_TIMEOUT_S = 5.0


def inspect(url: str) -> Inspection:
    """Raises `StoreUnavailable`."""
    with _looking(url) as db:
        return _inspected(db, shown(plain(url)))


def unwritable(url: str) -> list[str]:
    """The tables in which the user of `url` may not write. Raises `StoreUnavailable`."""
    with _looking(url) as db:
        return [str(name) for (name,) in db.rows("unwritable")]


@contextmanager
def _looking(url: str) -> Generator[Named]:
    url = plain(url)
    db = connect(url, lock_timeout_s=LOCK_TIMEOUT_S)
    try:
        yield db
    except psycopg.Error as error:
        raise translated(error, shown(url)) from error
    finally:
        db.raw.close()


def _inspected(db: Named, name: str) -> Inspection:
    schema = schema_version(db)
    # A newer schema may have other tables, and a new database has none.
    counts = {count: _number(db, f"count_{count}") for count in COUNTED} if schema == KNOWN else {}
    return Inspection(
        name,
        KNOWN,
        schema=schema,
        pending=[migration for migration in MIGRATIONS if migration.number > schema],
        bytes=_number(db, "size"),
        rows=counts,
    )


def _number(db: Named, name: str) -> int:
    ((number,),) = db.rows(name)
    return int(number)
