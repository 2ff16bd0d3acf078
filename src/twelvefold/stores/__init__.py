"""Stores, each in a package of its own, and the one place that turns a URL into one.

`sqlite:///relative/path.db`, `sqlite:////absolute/path.db` and a bare path are understood.
"""

import re

from twelvefold.exceptions import ConfigurationError
from twelvefold.store import EmbeddedStore

SQLITE_URL = "sqlite:///"


def open_store(url: str) -> EmbeddedStore:
    """Open the store that `url` names. Raises `ConfigurationError` for a URL of another kind."""
    if url.startswith(SQLITE_URL):
        path = url.removeprefix(SQLITE_URL)
    elif url and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url):
        path = url
    else:
        raise ConfigurationError(
            f"{url!r} names no store that is known here. Give a path such as agents.db, or"
            f" {SQLITE_URL}relative/path.db, or {SQLITE_URL}/absolute/path.db."
        )
    from twelvefold.stores.sqlite import SqliteStore  # its driver loads only when it is asked for

    return SqliteStore(path)
