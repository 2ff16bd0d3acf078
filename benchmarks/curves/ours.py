"""The curves by twelvefold, on SQLite."""

import asyncio
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import work
from benchmarks.agents import Bench, facts
from twelvefold.store import Append, Create, Ref
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import DEFAULT_TENANT

TOGETHER = 100
"""Threads that are brought in one transaction."""


def steps(folder: Path) -> dict[str, float]:
    bench = Bench(SqliteStore(folder / "ours.db"), steps=work.CURVE_STEPS[-1])
    asyncio.run(bench.thread("t"))
    bench.check(1)
    return bench.curve.at(*work.CURVE_STEPS)


def threads(folder: Path) -> dict[str, float]:
    store, figures, made = SqliteStore(folder / "ours.db"), dict[str, float](), 0
    bench = Bench(store)
    for count in work.CURVE_THREADS:
        bring(store, range(made, count))
        made = count
        names = [Ref(DEFAULT_TENANT, f"t{count}-{n}") for n in range(work.CURVE_SAMPLE)]
        figures[f"ms_{count}"] = asyncio.run(median_ms(bench, names))
    return figures


def tenants(folder: Path) -> dict[str, float]:
    figures: dict[str, float] = {}
    for count in work.CURVE_TENANTS:
        bench = Bench(SqliteStore(folder / f"{count}.db"))
        names = [Ref(f"tenant{n % count}", f"t{n}") for n in range(work.CURVE_SAMPLE)]
        figures[f"ms_{count}"] = asyncio.run(median_ms(bench, names))
    return figures


async def median_ms(bench: Bench, names: Iterable[Ref]) -> float:
    """A step of these threads, one thread after the other."""
    took: list[float] = []
    for name in names:
        started = time.perf_counter()
        await bench.thread(name.id, tenant=name.tenant)
        took.append(time.perf_counter() - started)
    return 1000 * statistics.median(took) / bench.steps


def bring(store: SqliteStore, numbers: Sequence[int]) -> None:
    """Threads as long as those of W1 that nothing wakes."""
    appends = [
        Append(f"old{n}", facts(2 * work.STEPS + 2, 0), create=Create("bench")) for n in numbers
    ]
    for first in range(0, len(appends), TOGETHER):
        store.commit_now(*appends[first : first + TOGETHER])
