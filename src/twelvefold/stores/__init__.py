"""Stores, each in a package of its own, and the one place that turns a URL into one.

`sqlite:///relative/path.db`, `sqlite:////absolute/path.db` and a bare path are understood, and
`postgresql://user@host:5432/database`.
"""

import re

from twelvefold.exceptions import ConfigurationError
from twelvefold.store import EmbeddedStore

SQLITE_URL = "sqlite:///"
POSTGRES_URL = re.compile(r"postgres(ql)?(\+psycopg)?://")


def open_store(url: str) -> EmbeddedStore:
    """Open the store that `url` names. Raises `ConfigurationError` for a URL of another kind."""
    # The driver of a store loads only when that store is asked for.
    if is_postgres(url):
        from twelvefold.stores.postgres import PostgresStore

        return PostgresStore(url)
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url)
    if url.startswith(SQLITE_URL):
        path = url.removeprefix(SQLITE_URL)
    elif url and scheme is None:
        path = url
    else:
        raise ConfigurationError(
            f"{shown_url(url)!r} names no store that is known here. Give a path such as"
            f" agents.db, or {SQLITE_URL}relative/path.db, or {SQLITE_URL}/absolute/path.db, or"
            " postgresql://user@host:5432/database."
        )
    from twelvefold.stores.sqlite import SqliteStore

    return SqliteStore(path)


def is_postgres(url: str) -> bool:
    return POSTGRES_URL.match(url) is not None


def shown_url(url: str) -> str:
    """The URL as people may see it: a password is left out, also one that is a parameter, and one
    with signs that should have been escaped: rather too much is hidden than too little."""
    without = re.sub(r"(://[^:/?#@]*):.*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", without)
