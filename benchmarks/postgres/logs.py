"""Fresh schemas on the server of this run, and what it promises."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import LiteralString
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks.processes import SERVER


@contextmanager
def fresh_schema() -> Generator[str]:
    """A URL that finds its tables in a schema of its own, where there is nothing yet."""
    server, name = os.environ[SERVER], f"bench_{uuid4().hex}"
    _execute(server, "create schema {}", name)
    joint = "&" if urlsplit(server).query else "?"
    try:
        yield f"{server}{joint}options=-csearch_path%3D{name}"
    finally:
        _execute(server, "drop schema {} cascade", name)


@contextmanager
def fresh_log(*, engine: bool = False) -> Generator[str]:
    """The URL of a new log; `engine`: with the tables of the Procrastinate engine."""
    from twelvefold.stores.postgres import migrate  # the floor loads nothing of twelvefold

    with fresh_schema() as url:
        migrate(url)
        if engine:
            from twelvefold.engine.procrastinate import migrate as migrate_engine

            migrate_engine(url)
        yield url


def _execute(url: str, statement: LiteralString, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(sql.SQL(statement).format(sql.Identifier(name)))
