"""What SQLite's errors mean for whoever asked, and what to do next."""

import sqlite3

from twelvefold.exceptions import (
    StoreCorrupt,
    StoreFull,
    StoreUnavailable,
    TwelvefoldError,
    Unstorable,
)

_PRIMARY = 0xFF  # the low byte of an extended result code is its family
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NO_ACCESS = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
)


def is_busy(error: Exception) -> bool:
    return _family(error) in _BUSY


def translated(error: Exception, path: str) -> Exception:
    """The twelvefold error for `error`; what is not the database's comes back as it is."""
    if isinstance(error, UnicodeEncodeError):
        return Unstorable(
            "a name, type or key holds a lone surrogate, which no store can keep:"
            f" {error.object[:80]!r}. Use valid text; nothing was saved."
        )
    if not isinstance(error, sqlite3.Error):
        return error
    return _of_family(error, path)


def locked(path: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{path} is locked: another process is writing. Nothing was saved; try again,"
        " or end the process that holds it."
    )


def _of_family(error: sqlite3.Error, path: str) -> TwelvefoldError:
    family = _family(error)
    if family in _BUSY:
        return locked(path)
    if family == sqlite3.SQLITE_FULL:
        return StoreFull(
            f"{path} cannot grow: {error}. Nothing was saved and nothing acknowledged was lost;"
            " make room on the disk, then run the command again."
        )
    if family in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreCorrupt(
            f"{path} is not a readable twelvefold log: {error}. The file was left as it is;"
            " restore the newest backup, or name another file."
        )
    if family in _NO_ACCESS:
        return unreachable(path, str(error))
    if family == sqlite3.SQLITE_TOOBIG:
        return Unstorable(f"{path} cannot hold so large an event: {error}. Store it elsewhere.")
    return StoreUnavailable(
        f"{path} did not answer: {error or type(error).__name__}. Look at the disk and the file,"
        " then run the command again; what was acknowledged is kept.",
        retryable=family == sqlite3.SQLITE_IOERR,
    )


def unreachable(path: str, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{path} cannot be opened for writing: {reason}. Check the path and the permissions of"
        " its folder, or name another file.",
        retryable=False,
    )


def _family(error: Exception) -> int:
    # Errors of the Python module itself ("closed database") carry no code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & _PRIMARY
