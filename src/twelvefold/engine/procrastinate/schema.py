"""Procrastinate's own tables, beside those of the log."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from procrastinate.schema import SchemaManager

from twelvefold.exceptions import NotMigrated, StoreUnavailable

LOCK = 8390045739205453924
"""That of the migrations of the log, so that two deploys take turns."""
MIGRATE = "twelvefold db migrate --engine procrastinate"
IS_THERE = "select to_regclass('procrastinate_jobs'), to_regproc('procrastinate_retry_job_v2')"


def migrate(url: str) -> bool:
    """Make the tables where they are missing; whether that was so.

    Raises `StoreUnavailable`, and `NotMigrated` for tables of an older Procrastinate.
    """
    with _connected(url) as db:
        db.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        if _is_there(db):
            return False
        db.execute(SchemaManager.get_schema())
        return True


def script(url: str) -> str:
    """What `migrate` would run, for those who run it themselves: all of it or nothing."""
    with _connected(url) as db:
        there = _is_there(db)
    return "" if there else f"begin;\n{SchemaManager.get_schema()}\ncommit;\n"


def expect_schema(url: str) -> None:
    """Raises `NotMigrated`, `StoreUnavailable`."""
    with _connected(url) as db:
        if _is_there(db):
            return
    raise not_migrated()


def not_migrated() -> NotMigrated:
    return NotMigrated(
        "this database has no tables of Procrastinate, which its engine needs. Run"
        f" `{MIGRATE}` with this URL as its --store.",
        command=MIGRATE,
    )


@contextmanager
def _connected(url: str) -> "Generator[psycopg.Connection[Any]]":
    try:
        with psycopg.connect(url) as db:
            yield db
    except psycopg.Error as error:
        raise StoreUnavailable(f"the queue cannot be reached: {error}. Try again.") from error


def _is_there(db: "psycopg.Connection[Any]") -> bool:
    table, function = db.execute(IS_THERE).fetchone() or (None, None)
    if table is not None and function is None:
        raise NotMigrated(
            "the tables of Procrastinate are those of an older version. Apply its own migrations up"
            " to 3.10, which its documentation describes.",
            command=None,
        )
    return table is not None
