"""Where the log of a scenario is: a file in its folder or, as `on_postgres` says, a database.

Its processes have the folder in common, and so the same log, whoever of them comes first.
"""

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from twelvefold.exceptions import NotMigrated
from twelvefold.store import EmbeddedStore
from twelvefold.stores import open_store

SERVER = "TWELVEFOLD_PROOF_POSTGRES"


@contextmanager
def on_postgres(url: str) -> Generator[None]:
    """Every log that is opened inside, also by processes that are started here, is on this
    server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SERVER, url)
        yield


def url_of(folder: Path) -> str | None:
    """The database of this folder; None for a file."""
    server = os.environ.get(SERVER)
    return None if server is None else f"{server}&options=-csearch_path%3D{schema_of(folder)}"


def store_in(folder: Path, file: str = "threads.db") -> EmbeddedStore:
    """The log of this folder, made when it is not there yet."""
    url = url_of(folder)
    if url is None:
        return open_store(str(folder / file))
    try:
        return open_store(url)
    except NotMigrated:
        _make(os.environ[SERVER], schema_of(folder), url)
        return open_store(url)


def schema_of(folder: Path) -> str:
    return "log_" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def _make(server: str, name: str, url: str) -> None:
    from twelvefold.stores.postgres import migrate  # scenarios on files do without

    with psycopg.connect(server, autocommit=True) as db:
        db.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))
    migrate(url)
