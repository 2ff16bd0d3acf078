"""Opening the file: what is refused, how it is made durable, and that its schema is current."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from twelvefold.exceptions import ConfigurationError
from twelvefold.stores.sqlite.failures import is_busy, translated, unreachable
from twelvefold.stores.sqlite.schema import migrate, refuse_newer

PAGE_BYTES = 2048
"""A commit writes three pages whole, and most events are small: half of SQLite's default."""
BUSY_PAUSE_S = 0.005
CACHED_STATEMENTS = 64  # more than the store has, so that none is prepared twice
MOUNTS = Path("/proc/self/mountinfo")
# Their locks and shared memory do not hold between machines, so two writers would corrupt the log.
NETWORK_DISKS = ("nfs", "cifs", "smb", "fuse.sshfs")


class Connections(NamedTuple):
    """One connection that writes and one that reads; neither waits for locks by itself."""

    write: sqlite3.Connection
    read: sqlite3.Connection


def open_database(path: str, *, lock_timeout_s: float) -> Connections:
    """Open or create the file at `path`.

    Raises `ConfigurationError`, `StoreUnavailable`, `StoreCorrupt`, `StoreVersion`, `StoreFull`.
    """
    if not path or path == ":memory:":
        raise ConfigurationError(
            f"{path!r} is not a file, and what is not in a file does not survive the process."
            " Name a file, or use twelvefold.testing.MemoryStore in tests."
        )
    _make_folder(path)
    refuse_network_disk(path, _mounts())
    opened: list[sqlite3.Connection] = []
    try:
        opened.append(_connect(path))
        _patiently(lambda: _prepare(opened[0], path), lock_timeout_s)
        opened.append(_connect(path, timeout_s=lock_timeout_s))
        opened[1].execute("pragma query_only = on")
    except BaseException as error:
        for connection in opened:
            connection.close()
        if isinstance(error, Exception):
            raise translated(error, path) from error
        raise
    return Connections(opened[0], opened[1])


def _connect(path: str, *, timeout_s: float = 0.0) -> sqlite3.Connection:
    # Threads take turns by the locks of `Writer` and `Reads`, so sqlite3's own check is not needed.
    return sqlite3.connect(
        path,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )


def _prepare(db: sqlite3.Connection, path: str) -> None:
    refuse_newer(db, path)  # before anything else, so that a newer file stays as it is
    db.execute(f"pragma page_size = {PAGE_BYTES}")  # of a new file; another keeps its own
    (mode,) = db.execute("pragma journal_mode = wal").fetchone()
    if mode != "wal":
        raise unreachable(path, "its file system has no shared memory for SQLite's WAL")
    db.execute("pragma synchronous = full")
    migrate(db, path)


def _patiently(work: Callable[[], None], timeout_s: float) -> None:
    """Repeat `work` while the database is locked; SQLite's own timeout omits `journal_mode`."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return work()
        except sqlite3.Error as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(BUSY_PAUSE_S)


def _make_folder(path: str) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unreachable(path, error.strerror or str(error)) from error
    if Path(path).is_dir():
        raise unreachable(path, "it is a folder")


def _mounts() -> str:
    return MOUNTS.read_text(errors="replace") if MOUNTS.exists() else ""


def refuse_network_disk(path: str, mountinfo: str) -> None:
    """Raises `ConfigurationError` when `mountinfo` says that `path` lies on a network disk."""
    place = Path(path).resolve()
    found = [m for m in map(_mount, mountinfo.splitlines()) if place.is_relative_to(m[0])]
    # The deepest mount counts, and of several at one place the last.
    kind = max(enumerate(found), key=lambda m: (len(m[1][0].parts), m[0]))[1][1] if found else ""
    if kind.startswith(NETWORK_DISKS):
        raise ConfigurationError(
            f"{path} lies on a network disk ({kind}), where SQLite's locks do not hold and a log"
            " can be damaged. Put the file on a local disk."
        )


def _mount(line: str) -> tuple[Path, str]:
    """The mount point and file system of a line: `36 35 98:0 / /mnt rw - ext4 /dev/x rw`."""
    mount, _, source = line.partition(" - ")
    point = mount.split(" ")[4].encode().decode("unicode_escape")
    return Path(point), source.split(" ")[0]
