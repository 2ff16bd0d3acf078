"""Looking for what the queue does not say: news for advances under way, and rows without jobs.

Advances hear of news at once. Rows are looked for when something was heard after a silence, and in
a crowd not for each commit: a wake brings its job as a rule, and the look finds what did not.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from twelvefold.engine.procrastinate.healing import Healing
from twelvefold.engine.procrastinate.queue import Queue
from twelvefold.engine.procrastinate.timing import POLL_S, Timing
from twelvefold.engine.procrastinate.work import Work

GATHER_S = 0.01
"""What is heard within that is told to advances at once."""
SWEEP_S = 0.1
"""Between two looks for rows without jobs, at least."""


class Looking:
    """`heard` is set whenever something was committed that concerns an engine."""

    def __init__(
        self,
        queue: Queue,
        work: Work,
        healing: Healing,
        clock: Callable[[], datetime],
        timing: Timing,
        may_work: asyncio.Event,
    ) -> None:
        self._queue, self._work, self._healing = queue, work, healing
        self._clock, self._timing, self._may_work = clock, timing, may_work
        self.heard = asyncio.Event()
        self._deep_at = 0.0

    async def run(self) -> None:
        sweep_at = 0.0
        while True:
            self.heard.clear()
            await self._work.ring()
            pause_s = sweep_at - time.monotonic()
            if pause_s <= 0:
                await self._sweep()
                pause_s = await self._pause_s()
                sweep_at = time.monotonic() + min(SWEEP_S, pause_s)
            await asyncio.sleep(GATHER_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self.heard.wait()

    async def _sweep(self) -> None:
        if not self._may_work.is_set():
            return
        await self._queue.sweep(self._clock())
        if time.monotonic() >= self._deep_at:
            await self._healing.look()
            self._deep_at = time.monotonic() + self._timing.deep_sweep_s

    async def _pause_s(self) -> float:
        """Until the next timer is due; not for long, as clocks may be set."""
        now = self._clock()
        due = await self._queue.next_due(now)
        soon = timedelta(seconds=POLL_S) if due is None else due - now
        return max(0.0, min(soon.total_seconds(), POLL_S))
