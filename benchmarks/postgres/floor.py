"""The floor on Postgres: the same work by hand. psycopg, one INSERT and one COMMIT per event.

Durable as ours: the server's fsync and `synchronous_commit = on`. Nothing else is done.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from benchmarks import work
from benchmarks.measure import Curve, Meter
from benchmarks.postgres.logs import fresh_schema

POOL = 10
"""Connections of W5, as many as ours may have."""
TRIPS = 3
"""Of one event: BEGIN, which the driver sends by itself, INSERT, COMMIT."""

_SCHEMA = """
create table events (
    thread_id text, seq integer, type text, data text, primary key (thread_id, seq)
)
"""
_INSERT = "insert into events values (%s, %s, %s, %s)"


class Log:
    """One thread's events. `append` returns when its event is durable."""

    def __init__(self, db: "psycopg.Connection[Any]", thread_id: str) -> None:
        self._db, self._thread_id, self._seq = db, thread_id, 0

    def append(self, type: str, data: dict[str, Any]) -> None:
        self._seq += 1
        self._db.execute(_INSERT, (self._thread_id, self._seq, type, json.dumps(data)))
        self._db.commit()


def open_database(url: str) -> "psycopg.Connection[Any]":
    db = psycopg.connect(url)
    db.execute(_SCHEMA)
    db.commit()
    return db


def sequential(_: Path) -> dict[str, float]:
    with fresh_schema() as url, open_database(url) as db:
        meter = Meter()
        for number in range(work.THREADS):
            log = Log(db, f"t{number}")
            log.append("message", {"text": work.TASK})
            for step in range(work.STEPS):
                _step(log, step)
            log.append("finished", {"message": work.ANSWER})
        figures = meter.per_step(work.THREADS * work.STEPS)
        return figures | {"trips": TRIPS * (2 * work.STEPS + 2) / work.STEPS}


def steps(_: Path) -> dict[str, float]:
    with fresh_schema() as url, open_database(url) as db:
        log, curve = Log(db, "t"), Curve()
        log.append("message", {"text": work.TASK})
        for step in range(work.CURVE_STEPS[-1]):
            _step(log, step)
            curve.mark()
        return curve.at(*work.CURVE_STEPS)


def _step(log: Log, step: int) -> None:
    log.append("chosen", {"intent": "lookup", "args": {"query": work.query(step)}})
    log.append("returned", {"result": work.RESULT})


def crowd(_: Path, *, latency_s: float | None = None) -> dict[str, float]:
    pause_s = work.MODEL_S if latency_s is None else latency_s
    with fresh_schema() as url:
        open_database(url).close()
        return asyncio.run(_crowd(url, pause_s))


async def _crowd(url: str, latency_s: float) -> dict[str, float]:
    async with AsyncConnectionPool(url, min_size=POOL, max_size=POOL, open=False) as pool:
        await pool.wait()
        meter = Meter()
        await asyncio.gather(*(_one(pool, f"t{n}", latency_s) for n in range(work.CROWD)))
        return meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}


async def _one(pool: "AsyncConnectionPool[Any]", thread_id: str, latency_s: float) -> None:
    seq = 0

    async def append(type: str, data: dict[str, Any]) -> None:
        nonlocal seq
        seq += 1
        async with pool.connection() as db:
            await db.execute(_INSERT, (thread_id, seq, type, json.dumps(data)))
            await db.commit()

    await append("message", {"text": work.TASK})
    for step in range(work.STEPS):
        await asyncio.sleep(latency_s)
        await append("chosen", {"intent": "lookup", "args": {"query": work.query(step)}})
        await append("returned", {"result": work.RESULT})
    await asyncio.sleep(latency_s)
    await append("finished", {"message": work.ANSWER})
