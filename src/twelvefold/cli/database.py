"""`twelvefold db status`, `migrate`, `rebuild` and `scrub`: the file or the database of a log."""

from typing import Protocol

import click

from twelvefold.cli import exits
from twelvefold.cli.finding import ENGINES, leaves_store_to_us, path_of
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import ConfigurationError
from twelvefold.stores import is_postgres, open_store, shown_url
from twelvefold.tables.projections import Rebuilt
from twelvefold.tables.schema import Inspection

QUEUE_TABLES = "procrastinate"
VACUUM_FULL = (
    "vacuum full twelvefold_threads, twelvefold_events, twelvefold_contacts, twelvefold_blobs;"
)
"""A plain vacuum frees the space of old rows: their bytes stay until something else is there."""


class _Rebuilds(Protocol):
    def rebuild(self) -> Rebuilt: ...

    def scrub(self) -> bool: ...

    def close(self) -> None: ...


@command()
@click.pass_obj
def status(here: Here) -> int:
    """The file or database: schema, size, what it holds and which migrations are pending.

    Looks without opening the log, so nothing is migrated. Exit code 6 for a schema that is too new.
    """
    found = inspected(url_of(here))
    if here.json:
        here.out.document("db/1", **_data(found))
    else:
        here.out.table(_rows(found))
    return exits.CONFIGURATION if found.is_newer else exits.DONE


def _data(found: Inspection) -> dict[str, object]:
    return {
        "path": found.name,
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
        return [["file", f"{found.name} does not exist yet; the first run makes it"]]
    pending = ", ".join(migration.name for migration in found.pending) or "none"
    newer = "   written by a newer twelvefold: upgrade" if found.is_newer else ""
    wal = "" if found.wal_bytes is None else f", and {found.wal_bytes} in the write-ahead log"
    return [
        ["log", found.name],
        ["schema", f"{found.schema} of {found.known}{newer}"],
        ["pending", pending],
        ["size", f"{found.bytes} bytes{wal}"],
        *([name, str(count)] for name, count in found.rows.items()),
    ]


@command()
@click.option("--sql", is_flag=True, help="Print what would run, and run nothing.")
@click.option("--engine", type=click.Choice(ENGINES), help="Its tables, too [TWELVEFOLD_ENGINE].")
@click.pass_obj
def migrate(here: Here, sql: bool, engine: str | None) -> None:
    """Bring the schema up to date.

    Opening a log that is a file does the same, after a copy beside it; a database is migrated by
    this command alone.
    """
    url = url_of(here)
    found = inspected(url)
    names = [migration.name for migration in found.pending]
    text = _script(url, found)
    queue = (engine or here.place.engine) == "procrastinate" and is_postgres(url)
    if sql and queue:
        text += _queue_script(url)
    elif not sql and found.exists:
        names = (_migrate(url) or names) + (_migrate_queue(url) if queue else [])
    if here.json:
        done = [] if sql or not found.exists else names
        pending = [migration.name for migration in found.pending]
        here.out.document("migrate/1", path=found.name, pending=pending, applied=done, sql=text)
    elif sql:
        here.out.raw(text)
    elif not found.exists:
        here.out.line(f"{found.name} does not exist yet; the first run makes it")
    else:
        here.out.line(f"applied {', '.join(names)}" if names else "nothing was pending")


@command()
@click.pass_obj
def rebuild(here: Here) -> None:
    """Derive the lists (threads, contacts) again from the log, and say whether they differed."""
    url = url_of(here)
    found = inspected(url)
    if not found.exists:
        raise ConfigurationError(f"{found.name} does not exist: there is nothing to rebuild.")
    store = _opened(url)
    try:
        rebuilt = store.rebuild()
    finally:
        store.close()
    differed = [ref.id for ref in rebuilt.differed]
    if here.json:
        here.out.document("rebuild/1", path=found.name, threads=rebuilt.threads, differed=differed)
    elif differed:
        here.out.line(f"{len(differed)} of {rebuilt.threads} threads differed, and are right now:")
        for name in differed:
            here.out.line(f"  {name}")
    else:
        here.out.line(f"{rebuilt.threads} threads; every list was right")


@command()
@click.pass_obj
def scrub(here: Here) -> int:
    """Overwrite what erased events left in the file, which `threads erase` does by itself.

    For a Postgres database it prints the SQL that does it, which locks the tables.
    """
    url = url_of(here)
    found = inspected(url)
    done = False
    if found.exists and not is_postgres(url):
        store = _opened(url)
        try:
            done = store.scrub()
        finally:
            store.close()
    sql = VACUUM_FULL if is_postgres(url) else None
    if here.json:
        here.out.document("scrub/1", path=found.name, done=done, sql=sql)
    elif sql is not None:
        here.out.line(sql)
    else:
        here.out.line(f"{found.name} {_scrubbed(found, done=done)}")
    return exits.DONE if done or sql is not None else exits.CONFLICT


def _scrubbed(found: Inspection, *, done: bool) -> str:
    if not found.exists:
        return "does not exist: there is nothing to scrub"
    left = "is in use, and was left as it is: stop who reads or writes it, then do this again"
    return "was rewritten" if done else left


def inspected(url: str) -> Inspection:
    if is_postgres(url):
        from twelvefold.stores.postgres import inspect  # its driver may not be installed
    else:
        from twelvefold.stores.sqlite import inspect
    return inspect(url)


def _script(url: str, found: Inspection) -> str:
    if is_postgres(url):
        from twelvefold.stores.postgres import script

        return script(found.pending)
    return "".join(f"-- {m.name}\n{m.sql.rstrip()}\n\n" for m in found.pending)


def _migrate(url: str) -> list[str]:
    """The names of those that ran, where that is known."""
    if is_postgres(url):
        from twelvefold.stores.postgres import migrate

        return [migration.name for migration in migrate(url)]
    _opened(url).close()
    return []


def _queue_script(url: str) -> str:
    from twelvefold.engine.procrastinate import script

    return script(url)


def _migrate_queue(url: str) -> list[str]:
    """Procrastinate's own tables, where they are missing."""
    from twelvefold.engine.procrastinate import migrate

    return [QUEUE_TABLES] if migrate(url) else []


def _opened(url: str) -> _Rebuilds:
    store = open_store(url)
    assert hasattr(store, "rebuild")  # both kinds that `url_of` lets pass
    return store  # pyright: ignore[reportReturnType]


def url_of(here: Here) -> str:
    """The file or the URL of the log. Raises `ConfigurationError` for a store of another kind."""
    place = here.place
    name: str | None = place.store
    if not place.store_named and not leaves_store_to_us(place):
        name = here.app.store_name or getattr(here.app.store, "path", None)
    if name is not None and (is_postgres(name) or "://" not in path_of(name)):
        return path_of(name)
    kind = shown_url(name) if name else type(here.app.store).__name__
    who, then = "the application", ": name it with --store"
    if place.store_named:
        who, then = place.store_from, ""
    raise ConfigurationError(
        f"`db` looks after a file or a Postgres database by its URL, and {who} gives {kind}{then}."
    )
