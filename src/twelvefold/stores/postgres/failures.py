"""What Postgres's errors mean for whoever asked, and what to do next."""

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from twelvefold.exceptions import (
    ConfigurationError,
    NotMigrated,
    StoreCorrupt,
    StoreFull,
    StoreUnavailable,
    Unstorable,
)

PASSING = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
"""Two transactions met, and this one was undone: done again, it comes before or after the other."""
_FULL = (errors.DiskFull, errors.OutOfMemory)
_CORRUPT = (errors.DataCorrupted, errors.IndexCorrupted)
_REFUSED = (
    errors.InsufficientPrivilege,
    errors.ReadOnlySqlTransaction,
    errors.InvalidCatalogName,
    errors.InvalidAuthorizationSpecification,
    errors.InvalidPassword,
)
_NO_TABLE = (errors.UndefinedTable, errors.UndefinedColumn)


def shown(url: str) -> str:
    """How a database is named to people: without its password. Raises `ConfigurationError`."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(
            f"the URL of the Postgres store cannot be read: {str(error).strip()}."
            " Give postgresql://user@host:5432/database."
        ) from None
    _expect_one_at(url, f"{parts.get('host', '')}{parts.get('dbname', '')}")
    user = f"{parts['user']}@" if "user" in parts else ""
    port = f":{parts['port']}" if "port" in parts else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


def _expect_one_at(url: str, behind: str) -> None:
    """Of two, a part of the password would be taken for the host, and shown to everybody."""
    if "@" in behind and url.count("@") > 1:
        raise ConfigurationError(
            "the URL of the Postgres store cannot be read: it has more than one '@'. Write %40 for"
            " one that belongs to a user or a password, and %2F for a '/'."
        )


def is_no_text(error: Exception) -> bool:
    """Whether a name holds a lone surrogate or a NUL: then nothing can be stored under it."""
    # What the driver itself refuses has no code of the server.
    by_driver = isinstance(error, psycopg.DataError) and error.sqlstate is None
    return by_driver or isinstance(error, UnicodeEncodeError)


def is_lost(error: Exception) -> bool:
    """Whether the connection ended while the server had something to do, so that nobody knows what
    it did."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def translated(error: Exception, name: str) -> Exception:
    """The twelvefold error for `error`; what is not the database's comes back as it is."""
    if isinstance(error, UnicodeEncodeError):
        return Unstorable(
            "a name, type or key holds a lone surrogate, which no store can keep:"
            f" {error.object[:80]!r}. Use valid text; nothing was saved."
        )
    if not isinstance(error, psycopg.Error):
        return error
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, psycopg.DataError | errors.ProgramLimitExceeded):
        return Unstorable(f"{name} cannot hold a name, type or key: {said}. Nothing was saved.")
    if isinstance(error, _NO_TABLE):
        return not_migrated(name, said)
    return _of_class(error, name, said)


def not_migrated(name: str, reason: str) -> NotMigrated:
    return NotMigrated(
        f"{name} has not the tables of this version: {reason}."
        " Run `twelvefold db migrate` with this URL as its --store."
    )


def locked(name: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{name} is locked: another transaction holds the thread. Nothing was saved; try again,"
        " or end the transaction that holds it."
    )


def ambiguous(name: str, error: Exception) -> StoreUnavailable:
    """Of a commit that was sent and not answered."""
    return StoreUnavailable(
        f"{name} did not answer a commit: {str(error).strip()}. Whether it was saved is not known:"
        " do it again with the same keys."
    )


def _of_class(error: psycopg.Error, name: str, said: str) -> Exception:
    if isinstance(error, errors.LockNotAvailable):
        return locked(name)
    if isinstance(error, _FULL):
        return StoreFull(
            f"{name} cannot grow: {said}. Nothing was saved and nothing acknowledged was lost;"
            " make room on the server's disk, then run the command again."
        )
    if isinstance(error, _CORRUPT):
        return StoreCorrupt(
            f"{name} is damaged: {said}. It was left as it is; restore the newest backup."
        )
    if isinstance(error, _REFUSED):
        return StoreUnavailable(
            f"{name} cannot be used: {said}. Check the URL, and what its user is allowed to do.",
            retryable=False,
        )
    passing = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return StoreUnavailable(
        f"{name} did not answer: {said}. What was acknowledged is kept. Look at the server and the"
        " URL, then do it again.",
        retryable=passing or isinstance(error, PASSING),
    )
