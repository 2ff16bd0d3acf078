"""Clocks and counters of one case, all read inside the process that does the work."""

import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks import work


class Meter:
    """Wall and CPU time since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    def per_step(self, steps: int) -> dict[str, float]:
        wall_s, cpu_s = self.wall_s, time.process_time() - self._cpu
        return {"ms": 1000 * wall_s / steps, "cpu_ms": 1000 * cpu_s / steps}


class Curve:
    """When each step of one thread was made."""

    def __init__(self) -> None:
        self._marks: list[float] = []

    def mark(self) -> None:
        self._marks.append(time.perf_counter())

    def at(self, *steps: int) -> dict[str, float]:
        """What a step costs there, in ms: medians over the WINDOW steps before."""
        return {f"ms_{step}": self._median_ms(step - work.WINDOW) for step in steps}

    def points(self) -> dict[str, float]:
        """Medians of the durations of WINDOW steps, in ms."""
        early = self._median_ms(work.EARLY - work.WINDOW // 2)
        late = self._median_ms(work.LATE - work.WINDOW)
        return {"early_ms": early, "late_ms": late, "growth": late / early}

    def _median_ms(self, first: int) -> float:
        marks = self._marks[first : first + work.WINDOW]
        durations = sorted(b - a for a, b in pairwise(marks))
        return 1000 * durations[len(durations) // 2]


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def stored_bytes(path: Path) -> dict[str, float]:
    """The size of an idle database: as the work left it, WAL included, and once vacuumed."""
    wal = path.with_name(path.name + "-wal")
    as_is = path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma wal_checkpoint(truncate)")
    db.execute("vacuum")
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()
    return {"bytes_as_is": as_is, "bytes": path.stat().st_size}


def cold_ms(module: str, *arguments: object) -> float:
    """From the start of `python -m benchmarks.MODULE ...` to the first line that it prints."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        elapsed_ms = 1000 * (time.perf_counter() - started)
    assert line, f"benchmarks.{module} ended with exit code {process.returncode}"
    return elapsed_ms
