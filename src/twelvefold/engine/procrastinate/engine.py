"""Several workers on one log: each thread is advanced by one of them at a time.

The rows that the store writes (wakes, timers) are the truth, and jobs are the signal: a job without
its row does nothing, and a row without its job gets one. So whatever happens to the queue, work is
late and never lost; what two workers do at once, the store's epochs and keys sort out.

Every worker runs these loops, none of which is a job, for a job can get stuck itself: it fetches
jobs, says that it lives and takes over from those that do not, looks for rows without jobs, and
listens. Each loop outlives the server: it goes on when that one is back.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from twelvefold.engine.procrastinate.healing import Healing
from twelvefold.engine.procrastinate.log import JobStore, unusable
from twelvefold.engine.procrastinate.looking import Looking
from twelvefold.engine.procrastinate.outage import Outage
from twelvefold.engine.procrastinate.queue import Queue
from twelvefold.engine.procrastinate.schema import expect_schema
from twelvefold.engine.procrastinate.stats import stats_of
from twelvefold.engine.procrastinate.timing import POLL_S, Timing
from twelvefold.engine.procrastinate.work import Work
from twelvefold.exceptions import StoreUnavailable
from twelvefold.loop import Holds, Stats, Surroundings, arm
from twelvefold.schedules import Schedule
from twelvefold.store import Ref

ADVANCES_MAX = 100
"""Threads that one worker advances side by side."""
KILLS_MAX = 4
"""Workers that may die with a job before its thread is parked for a person."""
PAUSE_S = 0.5
"""After an error of the server, before it is asked again."""
FETCHED_MAX = 5
"""Jobs fetched at once: more would leave less to the other workers."""


class ProcrastinateEngine:
    """Run it with `run()`, in as many processes as there is work for."""

    def __init__(
        self,
        around: Surroundings,
        store: Any,
        *,
        schedules: Sequence[Schedule] = (),
        timing: Timing | None = None,
        advances_max: int = ADVANCES_MAX,
        kills_max: int = KILLS_MAX,
    ) -> None:
        """Raises `ConfigurationError` for a store that is not Postgres."""
        if (why := unusable(store)) is not None:
            raise why
        self.around, self.schedules = around, schedules
        self._store: JobStore = store
        self._timing = timing or Timing()
        self._kills_max = kills_max
        self.errors: dict[Ref, Exception] = {}
        self._queue = Queue(self._store.url)
        self._work = Work(
            self._queue,
            around,
            self._store,
            schedules=schedules,
            errors=self.errors,
            jobs_max=advances_max,
        )
        self._healing = Healing(self._queue, around, self._store)
        self._calls, self._over, self._may_work = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._looking = Looking(
            self._queue, self._work, self._healing, around.clock, self._timing, self._may_work
        )
        self._grace_s, self._outage = around.stop_grace_s, Outage()
        self._reaps_from = 0.0
        self._beaten_at = time.monotonic()

    @property
    def under_way(self) -> int:
        return self._work.under_way

    def stop(self, *, grace_s: float | None = None) -> None:
        """Fetch nothing more: `run` returns when the tools under way have ended, or their grace is
        over; what is left goes back to the queue. To be called where `run` runs."""
        self._grace_s = self.around.stop_grace_s if grace_s is None else grace_s
        self._over.set()
        self._work.stop()

    def stats(self) -> Stats:
        return stats_of(self._store, self.around.clock(), stall_s=self._timing.stall_s)

    async def run(
        self,
        *,
        until_idle: bool = False,
        only: Callable[[Ref], bool] | None = None,
        wait_for_lock: bool = True,
        told: Callable[[Holds], None] | None = None,
    ) -> bool:
        """Work on the queue until cancelled or stopped.

        `until_idle`: return once nothing can be fetched and nothing is under way here. Returns
        False, having done nothing, with `only`, for a queue knows no order of its readers, and when
        an embedded engine advances this log while `wait_for_lock` is off.
        """
        if only is not None:
            return False
        await asyncio.to_thread(expect_schema, self._store.url)
        if not wait_for_lock and not self._is_free():
            return False
        await self._queue.open()
        # These two go on through the grace: we live, and hold what we have.
        lasting = [self._hold(told or _nobody), self._kept_up(self._beat)]
        lasting_tasks = [asyncio.create_task(loop) for loop in lasting]
        try:
            await self._work_on(lasting_tasks, until_idle=until_idle)
        finally:
            try:
                await self._work.land(self._grace_s)
            finally:
                await _ended(lasting_tasks)
                await self._leave()
        return True

    async def _work_on(self, lasting: "list[asyncio.Task[None]]", *, until_idle: bool) -> None:
        """Run all loops until the work is over. Raises what ends one of them."""
        loops = [self._reap, partial(self._queue.listen, self._hear)]
        loops += [] if until_idle else [self._looking.run]
        work = self._until_idle() if until_idle else self._until_stopped()
        tasks = [asyncio.create_task(loop) for loop in (*map(self._kept_up, loops), work)]
        try:
            await asyncio.wait({*tasks, *lasting}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*tasks, *lasting):
                if task.done():
                    task.result()
        finally:
            await _ended(tasks)

    async def _until_stopped(self) -> None:
        await self._begin()
        fetching = asyncio.create_task(self._kept_up(self._fetch))
        try:
            await self._over.wait()
        finally:
            await _ended([fetching])

    async def _until_idle(self) -> None:
        await self._begin()
        while not self._over.is_set():
            self._calls.clear()
            done = self._work.under_way  # what ends meanwhile may leave something to do
            done += await self._take_all()
            done += await self._healing.look()
            done += await self._queue.sweep(self.around.clock())
            if self._work.under_way:
                await self._work.ring()
                await self._called()
            elif not done:
                return

    async def _begin(self) -> None:
        over = asyncio.ensure_future(self._over.wait())
        may = asyncio.ensure_future(self._may_work.wait())
        await asyncio.wait({over, may}, return_when=asyncio.FIRST_COMPLETED)
        await _ended([over, may])
        if not self._over.is_set():
            arm(self.schedules, self.around, self._store)

    async def _fetch(self) -> None:
        while True:
            self._calls.clear()
            if self._may_work.is_set():
                await self._take_all()
            await self._called()

    async def _take_all(self) -> int:
        """Begin all that can be fetched; how much that was."""
        taken = 0
        while (room := self._work.room) and not self._over.is_set():
            most = min(room, FETCHED_MAX)
            jobs = await self._queue.fetch(most, alone=self._work.may_take_suspect)
            versions = await self._queue.versions([job.ref for job in jobs])
            if not jobs:
                break
            if self._over.is_set():  # meanwhile
                await self._queue.release([job.id for job in jobs])
                break
            for job in jobs:
                self._work.begin(job, versions.get(job.ref), self._calls.set)
            taken += len(jobs)
        return taken

    async def _called(self) -> None:
        """Until there may be something to fetch."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._calls.wait()

    def _hear(self) -> None:
        self._looking.heard.set()
        self._calls.set()

    async def _beat(self) -> None:
        """Say that this worker lives, and hand back what it has and does not run."""
        while True:
            await self._queue.beat()
            self._outage.is_over()
            now = time.monotonic()
            if now - self._beaten_at > self._timing.stall_s:  # it is others who were waiting for us
                self._reaps_from = now + self._timing.beat_s
            self._beaten_at = now
            await self._work.reconcile()
            await asyncio.sleep(self._timing.beat_s)

    async def _reap(self) -> None:
        stall_s, kills_max = self._timing.stall_s, self._kills_max
        while True:
            if self._may_reap(time.monotonic()):
                for job in await self._queue.reap(stall_s=stall_s, kills_max=kills_max):
                    await self._work.park(job)
            await asyncio.sleep(self._timing.reap_s)

    def _may_reap(self, now: float) -> bool:
        """Who was silent itself, or met a silent server, would take the living for dead."""
        alive = now - self._beaten_at < 2 * self._timing.beat_s
        return alive and now >= self._reaps_from and self._may_work.is_set()

    async def _hold(self, told: Callable[[Holds], None]) -> None:
        """Hold the right to advance together with other workers, and never beside an embedded
        engine. It is lost with the server, and taken again."""
        says: Holds | None = None
        while True:
            with suppress(StoreUnavailable), self._store.runner_lock(shared=True) as held:
                now_says: Holds = "advancing" if held else "standby"
                if says != now_says:
                    says = now_says
                    told(says)
                if held:
                    self._may_work.set()
                while held:
                    await asyncio.sleep(POLL_S)
                    self._store.changed()  # raises when it was lost
            self._may_work.clear()
            await asyncio.sleep(PAUSE_S)

    def _is_free(self) -> bool:
        with self._store.runner_lock(shared=True) as held:
            return held

    async def _kept_up(self, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the loop again when the server failed it."""
        while True:
            try:
                await loop()
            except StoreUnavailable as error:
                self._outage.say(error)
                # Everybody was silent meanwhile: nobody is to be taken for dead at once.
                self._reaps_from = time.monotonic() + self._timing.stall_s
            await asyncio.sleep(PAUSE_S)

    async def _leave(self) -> None:
        with suppress(StoreUnavailable):  # then others find out by our silence
            await self._work.reconcile(at_once=True)
            await self._queue.leave()
        with suppress(StoreUnavailable):
            await self._queue.close()


async def _ended(tasks: "Sequence[asyncio.Task[Any]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _nobody(_: Holds) -> None:
    return None
