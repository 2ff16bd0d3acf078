"""`twelvefold db status`, `migrate` and `rebuild`: the SQLite file of a log."""

import click

from twelvefold.cli import exits
from twelvefold.cli.finding import leaves_store_to_us, path_of
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import ConfigurationError
from twelvefold.stores.sqlite import Inspection, SqliteStore, inspect


@command()
@click.pass_obj
def status(here: Here) -> int:
    """The file: its schema, its size, what it holds and which migrations are pending.

    Looks without opening the log, so nothing is migrated. Exit code 6 for a schema that is too new.
    """
    found = inspect(_path(here))
    if here.json:
        here.out.document("db/1", **_data(found))
    else:
        here.out.table(_rows(found))
    return exits.CONFIGURATION if found.is_newer else exits.DONE


def _data(found: Inspection) -> dict[str, object]:
    return {
        "path": found.path,
        "exists": found.exists,
        "version": found.schema,
        "known": found.known,
        "pending": [migration.name for migration in found.pending],
        "bytes": found.bytes,
        "wal_bytes": found.wal_bytes,
        "rows": dict(found.rows),
    }


def _rows(found: Inspection) -> list[list[str]]:
    if not found.exists:
        return [["file", f"{found.path} does not exist yet; the first run makes it"]]
    pending = ", ".join(migration.name for migration in found.pending) or "none"
    newer = "   written by a newer twelvefold: upgrade" if found.is_newer else ""
    return [
        ["file", found.path],
        ["schema", f"{found.schema} of {found.known}{newer}"],
        ["pending", pending],
        ["size", f"{found.bytes} bytes, and {found.wal_bytes} in the write-ahead log"],
        *([name, str(count)] for name, count in found.rows.items()),
    ]


@command()
@click.option("--sql", is_flag=True, help="Print what would run, and run nothing.")
@click.pass_obj
def migrate(here: Here, sql: bool) -> None:
    """Bring the schema up to date. Opening a log does the same, after a copy beside it."""
    found = inspect(_path(here))
    names = [migration.name for migration in found.pending]
    text = "".join(f"-- {m.name}\n{m.sql.rstrip()}\n\n" for m in found.pending)
    if not sql and found.exists:
        SqliteStore(found.path).close()
    if here.json:
        done = [] if sql else names if found.exists else []
        here.out.document("migrate/1", path=found.path, pending=names, applied=done, sql=text)
    elif sql:
        here.out.raw(text)
    elif not found.exists:
        here.out.line(f"{found.path} does not exist yet; the first run makes it")
    else:
        here.out.line(f"applied {', '.join(names)}" if names else "nothing was pending")


@command()
@click.pass_obj
def rebuild(here: Here) -> None:
    """Derive the lists (threads, contacts) again from the log, and say whether they differed."""
    path = _path(here)
    if not inspect(path).exists:
        raise ConfigurationError(f"{path} does not exist: there is nothing to rebuild.")
    store = SqliteStore(path)
    try:
        rebuilt = store.rebuild()
    finally:
        store.close()
    differed = [ref.id for ref in rebuilt.differed]
    if here.json:
        here.out.document("rebuild/1", path=path, threads=rebuilt.threads, differed=differed)
    elif differed:
        here.out.line(f"{len(differed)} of {rebuilt.threads} threads differed, and are right now:")
        for name in differed:
            here.out.line(f"  {name}")
    else:
        here.out.line(f"{rebuilt.threads} threads; every list was right")


def _path(here: Here) -> str:
    """The file of the log. Raises `ConfigurationError` for a store of another kind."""
    place = here.place
    name: str | None = place.store
    if not place.store_named and not leaves_store_to_us(place):
        store = None if here.app.store_name else here.app.store
        name = store.path if isinstance(store, SqliteStore) else here.app.store_name
    if name is None or "://" in (path := path_of(name)):
        raise ConfigurationError(f"`db` looks after SQLite files, and {name} is none.")
    return path
