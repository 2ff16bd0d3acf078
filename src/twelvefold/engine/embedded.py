"""The embedded engine: one process advances the threads of one store, and holds a lock while it
does.

Wakes are rows that the store wrote in the same transaction as the events, so those that a dead
process left are found at the next start. So are timers, those of schedules too.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from twelvefold.deliveries import about_of
from twelvefold.exceptions import UnknownAgent
from twelvefold.loop import (
    Bell,
    Holds,
    NotOurs,
    Stats,
    Surroundings,
    advance,
    arm,
    deliver,
    fire_due,
    lag_s,
    waiting_s,
)
from twelvefold.loop.said import about
from twelvefold.schedules import Schedule
from twelvefold.store import Due, EmbeddedStore, Ref, Woken

POLL_S = 0.05
"""How often commits of other processes are looked for."""
RETRY_FIRST_S = 0.2
RETRY_MAX_S = 30.0
ADVANCES_MAX = 200
"""Threads advanced side by side."""

SENDS_MAX = 50
"""Contacts about which something is being sent, side by side."""

Work = tuple[Ref, str]
"""A thread to advance (with an empty key), or one of its timers to fire."""

log = logging.getLogger("twelvefold")


@dataclass(slots=True)
class _Backoff:
    """What raised: not again before `until`, unless `newest` (a wake, a time) is another one."""

    newest: int | datetime
    until: datetime | None
    delay_s: float


class EmbeddedEngine:
    """Run it with `run()`. `errors` maps a thread to why it could not go on when last tried."""

    def __init__(
        self, around: Surroundings, store: EmbeddedStore, *, schedules: Sequence[Schedule] = ()
    ) -> None:
        self.around, self.store, self.schedules = around, store, schedules
        self.errors: dict[Ref, Exception] = {}
        self._not_ours = NotOurs()
        self._running: dict[Ref, asyncio.Task[None]] = {}
        self._bells: dict[Ref, Bell] = {}
        self._sending: dict[Work, asyncio.Task[None]] = {}
        self._backoff: dict[Work, _Backoff] = {}
        self._heard = asyncio.Event()
        self._stopped = False
        self._grace_s = around.stop_grace_s

    @property
    def under_way(self) -> int:
        """How many threads are being advanced."""
        return len(self._running)

    async def run(
        self,
        *,
        until_idle: bool = False,
        only: Callable[[Ref], bool] | None = None,
        wait_for_lock: bool = True,
        told: Callable[[Holds], None] | None = None,
    ) -> bool:
        """Advance what is woken, fire what is due, until cancelled or stopped.

        `until_idle`: return once nothing is woken or under way (timers may be pending). `only`:
        leave other threads, and the schedules, alone. Returns False, having done nothing, when
        another process holds the lock and `wait_for_lock` is off; else a standby takes over when
        the lock is free. `told` hears which of the two this one is.
        """
        loop, tell = asyncio.get_running_loop(), told or _nobody
        stands_by = False
        while not self._stopped:
            with self.store.runner_lock() as held:
                if held:
                    tell("advancing")
                    deafen = self.store.listen(partial(_wake_up, loop, self._heard))
                    try:
                        await self._run(until_idle=until_idle, only=only)
                    finally:
                        deafen()
                        await self._land()
                    return True
            if not wait_for_lock:
                return False
            if not stands_by:
                tell("standby")
                stands_by = True
            await asyncio.sleep(POLL_S)
        return False

    def stop(self, *, grace_s: float | None = None) -> None:
        """Start nothing more: `run` returns when the tools under way have ended, or their grace is
        over, and their threads stay woken for the next process. To be called where `run` runs."""
        self._stopped = True
        self._grace_s = self.around.stop_grace_s if grace_s is None else grace_s
        self._heard.set()

    def stats(self) -> Stats:
        """What the rows say: which of the woken threads are under way, its own process knows."""
        now, woken = self.around.clock(), self.store.woken()
        return Stats(
            "embedded",
            queue=len(woken),
            oldest_wait_s=waiting_s(self.store, woken[0].ref, now) if woken else 0.0,
            under_way=None,
            workers=0 if self.store.runner_pid() is None else 1,
            lag_s=lag_s(self.store, now),
        )

    async def _run(self, *, until_idle: bool, only: Callable[[Ref], bool] | None) -> None:
        if only is None:
            arm(self.schedules, self.around, self.store)
        while True:
            self._heard.clear()
            if self._stopped:
                return
            started = await self._round(only)
            if until_idle and not (started or self._running or self._sending):
                return
            await self._listen()

    async def _round(self, only: Callable[[Ref], bool] | None) -> int:
        """Fire what is due and start what is woken; how many advances that were."""
        self.store.changed()
        now, started = self.around.clock(), 0
        for due in self.store.due(now):
            work = (due.ref, due.key)
            if (only is None or only(due.ref)) and not self._is_held_back(work, due.due, now):
                if about_of(due.key) is None:
                    await self._fire(due)
                else:
                    started += self._send(due)
        woken = [w for w in self.store.woken() if only is None or only(w.ref)]
        return started + self._start(woken, now)

    def _start(self, woken: Collection[Woken], now: datetime) -> int:
        """Ring the advances that run, start those that should."""
        started = 0
        for ref, version in woken:
            if ref in self._running:
                if self._bells[ref].version != version:
                    self._bells[ref].ring(version)
            elif len(self._running) < ADVANCES_MAX and not self._is_held_back(
                (ref, ""), version, now
            ):
                self._bells[ref] = Bell(version)
                self._running[ref] = asyncio.create_task(self._advance(ref, version))
                started += 1
        return started

    def _send(self, due: Due) -> int:
        """Begin to send what is due about one contact, unless that is under way."""
        work = (due.ref, due.key)
        if work in self._sending or len(self._sending) >= SENDS_MAX:
            return 0
        self._sending[work] = asyncio.create_task(self._deliver(due))
        return 1

    async def _deliver(self, due: Due) -> None:
        work = (due.ref, due.key)
        try:
            await deliver(due.ref, about_of(due.key) or "", self.around)
            self._went_well(work)
        except Exception as error:  # the timer is still due
            self._hold_back(work, due.due, error)
        finally:
            del self._sending[work]
            self._heard.set()

    def _is_held_back(self, work: Work, newest: int | datetime, now: datetime) -> bool:
        backoff = self._backoff.get(work)
        if backoff is None or backoff.newest != newest:
            return False
        return backoff.until is None or now < backoff.until

    async def _advance(self, ref: Ref, version: int) -> None:
        try:
            await advance(ref, self.around, bell=self._bells[ref])
            self._went_well((ref, ""))
        except UnknownAgent as error:
            self._not_ours.say(ref, error)
            self.errors[ref] = error
            self._backoff[ref, ""] = _Backoff(version, None, 0.0)
        except Exception as error:  # one thread's trouble must not end the engine
            log.debug("%s: advance failed", ref.id, exc_info=error, extra=about(ref))
            self._hold_back((ref, ""), version, error)
        finally:
            del self._running[ref], self._bells[ref]
            self._heard.set()

    def _went_well(self, work: Work) -> None:
        if self._backoff.pop(work, None) is not None:
            self.errors.pop(work[0], None)

    def _hold_back(self, work: Work, newest: int | datetime, error: Exception) -> None:
        before, (ref, key) = self._backoff.get(work), work
        delay_s = RETRY_FIRST_S if before is None else min(before.delay_s * 2, RETRY_MAX_S)
        what = f"the timer {key} is still due: {error}" if key else str(error)
        log.warning("%s: %s; next try in %.1f s", ref.id, what, delay_s, extra=about(ref))
        self.errors[ref] = error
        until = self.around.clock() + timedelta(seconds=delay_s)
        self._backoff[work] = _Backoff(newest, until, delay_s)

    async def _fire(self, due: Due) -> None:
        try:
            await fire_due(due, self.around, self.store, self.schedules)
            self._went_well((due.ref, due.key))
        except Exception as error:
            self._hold_back((due.ref, due.key), due.due, error)

    async def _listen(self) -> object:
        """Until this process committed a wake, another process committed, or a timer is due."""
        while True:
            try:
                async with asyncio.timeout(POLL_S):  # wait_for loses a cancellation in Python 3.11
                    return await self._heard.wait()
            except TimeoutError:
                due = self.store.next_due()
                if self.store.changed() or self._backoff:
                    return None
                if due is not None and due <= self.around.clock():
                    return None

    async def _land(self) -> None:
        """Tools under way are told at once, may end within a grace, and are then cancelled."""
        tasks = [*self._running.values(), *self._sending.values()]
        for bell in self._bells.values():
            bell.stop()
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=self._grace_s)
        finally:  # told again, there is no grace
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _wake_up(loop: asyncio.AbstractEventLoop, heard: asyncio.Event) -> None:
    loop.call_soon_threadsafe(heard.set)


def _nobody(_: Holds) -> None:
    return None
