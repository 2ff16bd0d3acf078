"""The embedded engine: one process advances the threads of one store, and holds a lock while it
does.

Wakes are rows that the store wrote in the same transaction as the events, so those that a dead
process left are found at the next start.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from twelvefold.exceptions import Stale, TwelvefoldError, UnknownAgent
from twelvefold.loop import Bell, Surroundings, advance
from twelvefold.plan import fire
from twelvefold.store import Due, EmbeddedStore, Ref, Woken

POLL_S = 0.05
"""How often commits of other processes are looked for."""
RETRY_FIRST_S = 0.2
RETRY_MAX_S = 30.0
ADVANCES_MAX = 200
"""Threads advanced side by side."""

log = logging.getLogger("twelvefold")


@dataclass(slots=True)
class _Backoff:
    """A thread whose advance raised: not before `until`, unless something newer woke it."""

    version: int
    until: datetime | None
    delay_s: float


class EmbeddedEngine:
    """Run it with `run()`. `errors` maps a thread to why its newest advance could not go on."""

    def __init__(self, around: Surroundings, store: EmbeddedStore) -> None:
        self.around, self.store = around, store
        self.errors: dict[Ref, Exception] = {}
        self._running: dict[Ref, asyncio.Task[None]] = {}
        self._bells: dict[Ref, Bell] = {}
        self._backoff: dict[Ref, _Backoff] = {}

    async def run(
        self,
        *,
        until_idle: bool = False,
        only: Callable[[Ref], bool] | None = None,
        wait_for_lock: bool = True,
    ) -> bool:
        """Advance what is woken, fire what is due, until cancelled.

        `until_idle`: return once nothing is woken or under way (timers may be pending). `only`:
        leave
        other threads alone. Returns False, having done nothing, when another process holds the lock
        and `wait_for_lock` is off; else a standby takes over when the lock is free.
        """
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()
        while True:
            with self.store.runner_lock() as held:
                if held:
                    deafen = self.store.listen(partial(_wake_up, loop, heard))
                    try:
                        await self._run(heard, until_idle=until_idle, only=only or _everything)
                    finally:
                        deafen()
                        await self._stop()
                    return True
            if not wait_for_lock:
                return False
            await asyncio.sleep(POLL_S)

    async def _run(
        self, heard: asyncio.Event, *, until_idle: bool, only: Callable[[Ref], bool]
    ) -> None:
        while True:
            heard.clear()
            self.store.changed()
            now = self.around.clock()
            for due in self.store.due(now):
                if only(due.ref):
                    await self._fire(due, now)
            woken = [woken for woken in self.store.woken() if only(woken.ref)]
            started = self._start(woken, heard, now)
            if until_idle and not started and not self._running:
                return
            await self._listen(heard)

    def _start(self, woken: Collection[Woken], heard: asyncio.Event, now: datetime) -> int:
        """Ring the advances that run, start those that should."""
        started = 0
        for ref, version in woken:
            if ref in self._running:
                if self._bells[ref].version != version:
                    self._bells[ref].ring(version)
            elif not self._is_held_back(ref, version, now) and len(self._running) < ADVANCES_MAX:
                self._bells[ref] = Bell(version)
                self._running[ref] = asyncio.create_task(self._advance(ref, version, heard))
                started += 1
        return started

    def _is_held_back(self, ref: Ref, version: int, now: datetime) -> bool:
        backoff = self._backoff.get(ref)
        if backoff is None or backoff.version != version:
            return False
        return backoff.until is None or now < backoff.until

    async def _advance(self, ref: Ref, version: int, heard: asyncio.Event) -> None:
        try:
            await advance(ref, self.around, bell=self._bells[ref])
            self._backoff.pop(ref, None)
            self.errors.pop(ref, None)
        except UnknownAgent as error:
            log.error("%s", error)
            self.errors[ref] = error
            self._backoff[ref] = _Backoff(version, None, 0.0)
        except Exception as error:  # one thread's trouble must not end the engine
            log.debug("%s: advance failed", ref.id, exc_info=error)
            self._hold_back(ref, version, error)
        finally:
            del self._running[ref], self._bells[ref]
            heard.set()

    def _hold_back(self, ref: Ref, version: int, error: Exception) -> None:
        before = self._backoff.get(ref)
        delay_s = RETRY_FIRST_S if before is None else min(before.delay_s * 2, RETRY_MAX_S)
        log.warning("%s: %s; next try in %.1f s", ref.id, error, delay_s)
        self.errors[ref] = error
        until = self.around.clock() + timedelta(seconds=delay_s)
        self._backoff[ref] = _Backoff(version, until, delay_s)

    async def _fire(self, due: Due, now: datetime) -> None:
        try:
            thread = self.store.load(due.ref.id, tenant=due.ref.tenant)
            await self.store.commit(fire(thread, due.key, now=now))
        except Stale:
            pass  # something arrived; the timer is still due, so the next round judges again
        except TwelvefoldError as error:
            log.warning("%s: the timer %s is still due: %s", due.ref.id, due.key, error)

    async def _listen(self, heard: asyncio.Event) -> object:
        """Until this process committed a wake, another process committed, or a timer is due."""
        while True:
            try:
                async with asyncio.timeout(POLL_S):  # wait_for loses a cancellation in Python 3.11
                    return await heard.wait()
            except TimeoutError:
                due = self.store.next_due()
                if self.store.changed() or self._backoff:
                    return None
                if due is not None and due <= self.around.clock():
                    return None

    async def _stop(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _wake_up(loop: asyncio.AbstractEventLoop, heard: asyncio.Event) -> None:
    loop.call_soon_threadsafe(heard.set)


def _everything(_: Ref) -> bool:
    return True
