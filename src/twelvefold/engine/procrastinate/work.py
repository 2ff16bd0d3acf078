"""The jobs that one worker has under way: what each does, how it ends, and what rings it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from twelvefold.deliveries import about_of
from twelvefold.engine.procrastinate.jobs import ALONE, Job
from twelvefold.engine.procrastinate.log import JobStore
from twelvefold.engine.procrastinate.queue import Queue
from twelvefold.exceptions import StoreUnavailable, UnknownAgent, UnknownThread
from twelvefold.loop import Bell, NotOurs, Surroundings, advance, deliver, fire_due
from twelvefold.loop.said import about
from twelvefold.schedules import Schedule
from twelvefold.store import Append, Ref
from twelvefold.thread import Draft, Json

RETRY_FIRST_S = 0.2
RETRY_MAX_S = 30.0
DOUBLINGS_MAX = 10

log = logging.getLogger("twelvefold")


@dataclass(slots=True, eq=False)
class _Running:
    """One job, and perhaps twice: a process that was taken for dead may get it again itself."""

    job: Job
    bell: Bell
    task: "asyncio.Task[None]"


class Work:
    """Begins jobs, and sees to it that each ends: finished, postponed or handed back."""

    def __init__(
        self,
        queue: Queue,
        around: Surroundings,
        store: JobStore,
        *,
        schedules: Sequence[Schedule],
        errors: dict[Ref, Exception],
        jobs_max: int,
    ) -> None:
        self._queue, self._around, self._store = queue, around, store
        self._schedules, self._errors, self._jobs_max = schedules, errors, jobs_max
        self._not_ours = NotOurs()
        self._running: list[_Running] = []
        self._missed: set[int] = set()

    @property
    def under_way(self) -> int:
        return len(self._running)

    @property
    def room(self) -> int:
        """How many jobs more may begin."""
        return max(0, self._jobs_max - len(self._running))

    @property
    def may_take_suspect(self) -> bool:
        """One at a time: when it kills this worker, it alone was suspected."""
        return all(running.job.queue != ALONE for running in self._running)

    def begin(self, job: Job, version: int | None, ended: Callable[[], None]) -> None:
        """`version`: of the wake of its thread, read when the job was this worker's."""
        bell = Bell(version if job.task == "advance" else None)
        task = asyncio.create_task(self._carry_out(job, bell))
        running = _Running(job, bell, task)
        self._running.append(running)
        task.add_done_callback(lambda _: self._forget(running, ended))

    async def ring(self) -> None:
        """Tell each advance under way when its thread was woken again."""
        refs = [one.job.ref for one in self._running if one.bell.version is not None]
        versions = await self._queue.versions(refs)
        for running in list(self._running):
            version = versions.get(running.job.ref)
            if version is not None and running.bell.version not in (None, version):
                running.bell.ring(version)

    async def reconcile(self, *, at_once: bool = False) -> None:
        """Hand back jobs that the queue gave to this worker and that it does not run: an answer of
        the server was lost on the way. One that was not there before may still be on its way."""
        mine = await self._queue.mine()
        lost = set(mine) - {running.job.id for running in self._running}
        if given_up := lost if at_once else lost & self._missed:
            await self._queue.release(given_up)
        self._missed = lost - given_up

    def stop(self) -> None:
        """Let what is under way begin nothing more, and tell its tools."""
        for running in self._running:
            running.bell.stop()

    async def land(self, grace_s: float) -> None:
        """Tools under way may end within the grace, and are then cancelled."""
        self.stop()
        tasks = [running.task for running in self._running]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=grace_s)
        finally:  # told again, there is no grace
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def park(self, job: Job) -> None:
        """The workers that had this job died, one after the other: a person has to look."""
        if job.ref.id:
            said = "%s: %s workers died with it; it is parked"
            log.error(said, job.ref.id, job.kills, extra=about(job.ref))
            with suppress(UnknownThread):
                versions = await self._queue.versions([job.ref])
                await self._store.commit(self._parked(job, versions.get(job.ref)))
        await self._queue.give_up(job)

    def _parked(self, job: Job, version: int | None) -> Append:
        what = f"{job.task} {job.key}".rstrip()
        error = f"{job.kills} workers died one after the other while they had this thread ({what})."
        data: dict[str, Json] = {"error": error, "by": "engine"}
        return Append(
            job.ref.id,
            [Draft("advance_failed", data, self._around.clock(), key=f"killed:{job.id}")],
            tenant=job.ref.tenant,
            served=version,
            cancel=[job.key] if job.key else [],
        )

    async def _carry_out(self, job: Job, bell: Bell) -> None:
        if job.task == "again":
            # The very job is an advance from here on, and perhaps this worker's: none to end, and
            # where the answer was lost, none to hold back.
            return await self._queue.advance_now(job)
        try:
            done = await self._do(job, bell)
        except UnknownThread:
            done = True
            await self._queue.forget(job.ref)
        except Exception as error:  # one thread's trouble must not end the worker
            return await self._hold_back(job, error)
        self._errors.pop(job.ref, None)
        if done:
            await self._queue.finish(job)
        else:
            await self._queue.release([job.id])

    async def _do(self, job: Job, bell: Bell) -> bool:
        """Whether the job is done; False hands it back."""
        if job.task == "advance":
            return await self._advance(job, bell)
        await self._fire(job)
        return True

    async def _advance(self, job: Job, bell: Bell) -> bool:
        if bell.version is None:
            return True  # an advance for another wake has served this one, too
        await advance(job.ref, self._around, bell=bell)
        return not bell.stopped

    async def _fire(self, job: Job) -> None:
        due = await self._queue.timer(job.ref, job.key, self._around.clock())
        if due is None:
            return None
        about = about_of(job.key)
        if about is not None:
            return await deliver(job.ref, about, self._around)
        await fire_due(due, self._around, self._store, self._schedules)

    async def _hold_back(self, job: Job, error: Exception) -> None:
        delay_s = min(RETRY_FIRST_S * 2 ** min(job.tries, DOUBLINGS_MAX), RETRY_MAX_S)
        about = f"the timer {job.key} is still due: " if job.key else ""
        if isinstance(error, UnknownAgent):
            self._not_ours.say(job.ref, error)
        else:
            log.warning("%s: %s%s; next try in %.1f s", job.ref.id, about, error, delay_s)
        self._errors[job.ref] = error
        await self._queue.postpone(job, delay_s=delay_s)

    def _forget(self, running: _Running, ended: Callable[[], None]) -> None:
        self._running.remove(running)
        task, job = running.task, running.job
        if not task.cancelled() and (error := task.exception()) is not None:
            # The server did not hear how it ended: `reconcile` hands the job back.
            level = logging.WARNING if isinstance(error, StoreUnavailable) else logging.ERROR
            log.log(level, "%s: %s", job.ref.id, error)
        ended()
