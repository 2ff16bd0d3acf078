"""Numbered migrations as files, and what is known of a database before it is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

COUNTED = ("threads", "events", "open_contacts", "wakes", "timers")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `migrations/`, such as `0001_threads.sql`."""

    number: int
    name: str
    sql: str


def read_migrations(package: str) -> tuple[Migration, ...]:
    """Those in the folder `migrations` of a store, in order."""
    folder = files(package).joinpath("migrations")
    sources = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return tuple(Migration(int(f.name[:4]), f.name, f.read_text(encoding="utf-8")) for f in sources)


@dataclass(frozen=True, slots=True)
class Inspection:
    """`schema` is the newest migration that ran, `known` the newest of this version. A file may not
    exist yet, and has a write-ahead log beside it; a server has its own."""

    name: str
    known: int
    exists: bool = True
    schema: int = 0
    pending: Sequence[Migration] = ()
    bytes: int = 0
    wal_bytes: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_newer(self) -> bool:
        return self.schema > self.known
