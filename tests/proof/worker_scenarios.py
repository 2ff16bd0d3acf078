"""Scenarios of the crash matrix whose process is a worker: its queue is Procrastinate's, beside the
log, and what a killed one held comes free when it has been silent for `STALL_S`."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import scenarios
from places import url_of

from twelvefold import App
from twelvefold.engine.procrastinate import ProcrastinateEngine, Timing, migrate
from twelvefold.loop import Engine
from twelvefold.testing import Build, Point, Scenario

STALL_S = 1.0
PAUSE_S = 0.05
PATIENCE_S = 50.0
KILLS_MAX = 100
"""Where eight of them share two cores, a living one may be silent for a second."""


class Worker(App):
    """An application that stays until nothing is woken, as a worker that is not told to stop."""

    def new_engine(self, name: Any = None, *, stall_s: float | None = None) -> Engine:
        timing, store = Timing(STALL_S), self.store
        return ProcrastinateEngine(self.surroundings, store, timing=timing, kills_max=KILLS_MAX)

    async def run(self, **options: Any) -> Engine:
        async with asyncio.timeout(PATIENCE_S):
            engine = await super().run(**options)
            while self.store.woken():
                await asyncio.sleep(PAUSE_S)
                engine = await super().run(**options)
            return engine


def on_worker(build: Callable[[Path, Point], Scenario]) -> Build:
    def built(folder: Path, point: Point) -> Scenario:
        scenario = build(folder, point)
        url = url_of(folder)
        assert url is not None, "workers are for Postgres"
        migrate(url)
        scenario.app.__class__ = Worker
        scenario.app.use_engine("procrastinate")
        return scenario

    return built


first_agent = on_worker(scenarios.first_agent)
payments = on_worker(scenarios.payments)
sending = on_worker(scenarios.sending)
pipeline = on_worker(scenarios.pipeline)
