"""Wakes, throughput and takeover, with workers that share the threads."""

import asyncio
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks import work
from benchmarks.engine.crew import crew
from benchmarks.engine.worker import HELD
from benchmarks.measure import Meter, percentile
from twelvefold.engine.procrastinate import STALL_S as DEFAULT_STALL_S

WAKES = 100
WAKE_PAUSE_S = 0.05
TAKEOVERS = 3
TUNED_STALL_S = 6.0


def wake(folder: Path) -> dict[str, float]:
    """From the call of `launch` to the first model call, one thread at a time, two workers."""
    with crew(folder, workers=2) as two:
        launched: dict[str, float] = {}
        for number in range(WAKES):
            launched[f"t{number}"] = time.perf_counter()
            two.launch(f"t{number}")
            time.sleep(WAKE_PAUSE_S)
        two.until_idle()
        took = [1000 * (c.at - launched[c.thread]) for c in two.calls() if c.thread in launched]
    assert len(took) == WAKES, took
    return {"p50_ms": statistics.median(took), "p99_ms": percentile(took, 99)}


def crowd(folder: Path) -> dict[str, float]:
    """W5: launched in this process, advanced by two workers."""
    with crew(folder, workers=2, latency_s=work.MODEL_S) as two:
        meter = Meter()
        asyncio.run(two.launch_crowd())
        two.until_idle()
        return meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}


def throughput(folder: Path) -> dict[str, float]:
    """The same with a model that answers at once, for each number of workers."""
    figures: dict[str, float] = {}
    for count in work.WORKERS:
        place = folder / str(count)
        place.mkdir()
        with crew(place, workers=count) as some:
            meter = Meter()
            asyncio.run(some.launch_crowd())
            some.until_idle()
            figures[f"ms_{count}"] = meter.per_step(work.CROWD * work.STEPS)["ms"]
    return figures


def takeover(folder: Path) -> dict[str, float]:
    """From `kill -9` of a worker that waits for the model to the next model call of its thread, by
    another one; the longest of several, side by side."""
    stalls = [DEFAULT_STALL_S, TUNED_STALL_S] * TAKEOVERS
    with ThreadPoolExecutor(len(stalls)) as threads:
        took = list(threads.map(partial(_takeover_s, folder), range(len(stalls)), stalls))
    return {"default_s": max(took[0::2]), "tuned_s": max(took[1::2])}


def _takeover_s(folder: Path, number: int, stall_s: float) -> float:
    place = folder / str(number)
    place.mkdir()
    with crew(place, workers=2, stall_s=stall_s) as two:
        two.launch(HELD)
        # A worker says that it lives three times per stall: how long ago that was is chance.
        time.sleep(random.Random(number).uniform(0, stall_s / 3))
        return two.taken_over(HELD)
