"""What the queue says of itself, asked without running anything."""

from datetime import datetime

import psycopg
from psycopg import errors

from twelvefold.engine.procrastinate.jobs import QUEUES
from twelvefold.engine.procrastinate.log import JobStore
from twelvefold.engine.procrastinate.queue import SQL
from twelvefold.engine.procrastinate.schema import not_migrated
from twelvefold.exceptions import StoreUnavailable
from twelvefold.loop import Stats, lag_s, waiting_s
from twelvefold.store import Ref


def stats_of(store: JobStore, now: datetime, *, stall_s: float) -> Stats:
    """Raises `StoreUnavailable`."""
    given = {"queues": list(QUEUES), "stall_s": stall_s}
    try:
        with psycopg.connect(store.url) as db:
            waiting, under_way, workers = db.execute(_sql("stats"), given).fetchall()[0]
            waits = db.execute(_sql("longest_wait"), given).fetchall()
    except errors.UndefinedTable as error:
        raise not_migrated() from error
    except psycopg.Error as error:
        raise StoreUnavailable(f"the queue did not answer: {error}. Try again.") from error
    return Stats(
        "procrastinate",
        queue=waiting,
        oldest_wait_s=waiting_s(store, Ref(*waits[0]), now) if waits else 0.0,
        under_way=under_way,
        workers=workers,
        lag_s=lag_s(store, now),
    )


def _sql(name: str) -> bytes:
    return SQL[name].encode()
