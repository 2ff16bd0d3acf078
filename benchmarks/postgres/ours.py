"""The same work by twelvefold on Postgres, in one process with the embedded engine."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import work
from benchmarks.agents import Bench, InstantModel
from benchmarks.measure import Meter
from benchmarks.postgres.logs import fresh_log
from twelvefold.stores.postgres import PostgresStore


def sequential(_: Path) -> dict[str, float]:
    with fresh_log() as url:
        bench = Bench(PostgresStore(url))

        async def each() -> None:
            for number in range(work.THREADS):
                await bench.thread(f"t{number}")

        trips = counted_trips()
        meter = Meter()
        asyncio.run(each())
        figures = meter.per_step(work.THREADS * work.STEPS)
        figures["trips"] = next(trips) / (work.THREADS * work.STEPS)
        bench.check(work.THREADS)
        bench.app.close()
    return figures


def crowd(_: Path) -> dict[str, float]:
    with fresh_log() as url:
        bench = Bench(PostgresStore(url), model=InstantModel(work.STEPS, latency_s=work.MODEL_S))
        meter = Meter()
        asyncio.run(bench.crowd(work.CROWD))
        figures = meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}
        bench.check(work.CROWD)
        bench.app.close()
    return figures


def steps(_: Path) -> dict[str, float]:
    with fresh_log() as url:
        bench = Bench(PostgresStore(url), steps=work.CURVE_STEPS[-1])
        asyncio.run(bench.thread("t"))
        bench.check(1)
        bench.app.close()
    return bench.curve.at(*work.CURVE_STEPS)


def counted_trips() -> "count[int]":
    """Gives how often this process has waited for the server since; each wait is a round trip."""
    trips, wait = count(), psycopg.Connection.wait

    def counted(self: Any, gen: Any, **options: Any) -> Any:
        next(trips)
        return wait(self, gen, **options)

    psycopg.Connection.wait = counted
    return trips
