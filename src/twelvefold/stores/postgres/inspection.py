"""Looking at a database without changing it, whatever its schema is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from twelvefold.stores.postgres.connections import connect, plain
from twelvefold.stores.postgres.failures import shown, translated
from twelvefold.stores.postgres.queries import Named
from twelvefold.stores.postgres.schema import MIGRATIONS, Migration, schema_version

COUNTED = ("threads", "events", "open_contacts", "wakes", "timers")
LOCK_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Inspection:
    """`schema` is the newest migration that ran, `known` the newest of this version."""

    name: str
    schema: int
    server: str
    known: int = MIGRATIONS[-1].number
    pending: Sequence[Migration] = ()
    bytes: int = 0
    rows: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_newer(self) -> bool:
        return self.schema > self.known


def inspect(url: str) -> Inspection:
    """Raises `StoreUnavailable`."""
    url = plain(url)
    db = connect(url, lock_timeout_s=LOCK_TIMEOUT_S)
    try:
        return _inspected(db, shown(url))
    except psycopg.Error as error:
        raise translated(error, shown(url)) from error
    finally:
        db.raw.close()


def _inspected(db: Named, name: str) -> Inspection:
    schema, known = schema_version(db), MIGRATIONS[-1].number
    # A newer schema may have other tables, and a new database has none.
    counts = {count: _number(db, f"count_{count}") for count in COUNTED} if schema == known else {}
    return Inspection(
        name,
        schema,
        server=str(db.raw.info.parameter_status("server_version")),
        pending=[migration for migration in MIGRATIONS if migration.number > schema],
        bytes=_number(db, "size"),
        rows=counts,
    )


def _number(db: Named, name: str) -> int:
    ((number,),) = db.rows(name)
    return int(number)
