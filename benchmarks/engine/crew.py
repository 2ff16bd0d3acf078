"""Workers on one log, and what they did when."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks import work
from benchmarks.agents import Bench
from benchmarks.postgres.logs import fresh_log
from twelvefold.engine.procrastinate import STALL_S
from twelvefold.stores.postgres import PostgresStore

PATIENCE_S = 120.0
PAUSE_S = 0.005
WARM_THREADS = 4
"""Of each worker, at the same time, so that every one of them gets some."""


class Called(NamedTuple):
    """The first model call of a thread: `at` is of the machine's monotonic clock."""

    pid: int
    thread: str
    at: float


class Crew:
    """`bench` launches; the workers do the work."""

    def __init__(self, url: str, folder: Path, latency_s: float, stall_s: float) -> None:
        self.bench = Bench(PostgresStore(url), engine="procrastinate")
        self._db = psycopg.connect(url, autocommit=True)
        self._calls = folder / "calls"
        self._command = [sys.executable, "-m", "benchmarks.engine.worker", url, str(self._calls)]
        self._command += [str(latency_s), str(stall_s)]
        self._engine = self.bench.app.new_engine()
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, workers: int) -> None:
        """Returns when each has made a model call."""
        for _ in range(workers):
            self.workers.append(subprocess.Popen(self._command, stdin=subprocess.DEVNULL))
        until(lambda: self._engine.stats().workers == len(self.workers))
        batch = 0
        while len({call.pid for call in self.calls()}) < len(self.workers):
            batch += 1
            names = [f"warm{batch}-{n}" for n in range(WARM_THREADS * workers)]
            self.launch(*names)
            until(lambda names=names: set(names) <= {call.thread for call in self.calls()})
        self.until_idle()

    def launch(self, *names: str) -> None:
        for name in names:
            self.bench.app.sync.launch("bench", work.TASK, thread_id=name)

    async def launch_crowd(self) -> None:
        names = [f"t{number}" for number in range(work.CROWD)]
        await asyncio.gather(*map(self.bench.launch, names))

    def calls(self) -> list[Called]:
        """Those that were made so far."""
        if not self._calls.exists():
            return []
        lines = [line.split() for line in self._calls.read_text().splitlines()]
        return [Called(int(pid), thread, float(at)) for pid, thread, at in lines]

    def until_idle(self) -> None:
        """Until no thread is to be advanced: all have finished."""
        until(self._is_idle)

    def _is_idle(self) -> bool:
        """Asked so that it costs those who work as little as can be."""
        row = self._db.execute("select exists (select from twelvefold_wakes)").fetchone()
        return row == (False,)

    def taken_over(self, thread: str) -> float:
        """The seconds from `kill -9` of the worker that has this thread to the next model call."""
        until(lambda: self._calls_of(thread))
        [first] = self._calls_of(thread)
        [victim] = [worker for worker in self.workers if worker.pid == first.pid]
        killed_at = time.perf_counter()
        victim.kill()
        until(lambda: len(self._calls_of(thread)) > 1)
        return self._calls_of(thread)[1].at - killed_at

    def _calls_of(self, thread: str) -> list[Called]:
        return [call for call in self.calls() if call.thread == thread]

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
        for worker in self.workers:
            worker.wait()
        self._db.close()
        self.bench.app.close()


@contextmanager
def crew(
    folder: Path, *, workers: int, latency_s: float = 0.0, stall_s: float = STALL_S
) -> Generator[Crew]:
    with fresh_log(engine=True) as url:
        found = Crew(url, folder, latency_s, stall_s)
        try:
            found.start(workers)
            yield found
        finally:
            found.stop()


def until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(PAUSE_S)
