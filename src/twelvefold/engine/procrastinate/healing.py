"""What was lost by hand or with an older backup is found, and made again from the log.

Cheap looks cover the whole database each time; the logs themselves are read a few at a time, round
and round, since a timer that is missing can only be told from them.
"""

import asyncio

from twelvefold.engine.procrastinate.queue import Queue
from twelvefold.exceptions import UnknownThread
from twelvefold.loop import Surroundings
from twelvefold.plan import alarms
from twelvefold.store import Due, EmbeddedStore, Ref

LOGS_MAX = 200
"""Logs that are read in one look."""


class Healing:
    """Looks when it is told to. Where the round stands, this process knows."""

    def __init__(self, queue: Queue, around: Surroundings, store: EmbeddedStore) -> None:
        self._queue, self._around, self._store = queue, around, store
        self._after = 0

    async def look(self) -> int:
        """Wake threads that were forgotten, and set timers that are missing; how many."""
        found = await self._queue.sweep_deep(self._around.clock())
        return found + await self._arm(await self._queue.sleepless()) + await self._read_on()

    async def _read_on(self) -> int:
        page = await self._queue.logs(self._after, LOGS_MAX)
        self._after = page[-1][0] if len(page) == LOGS_MAX else 0
        return await self._arm([ref for _, ref in page])

    async def _arm(self, refs: list[Ref]) -> int:
        wanted: list[Due] = []
        for ref in refs:
            wanted += self._alarms(ref)
            await asyncio.sleep(0)  # many logs must not keep a wake waiting
        there = await self._queue.timers(list({due.ref for due in wanted}))
        missing = [due for due in wanted if (due.ref, due.key) not in there]
        if missing:
            await self._queue.set_timers(missing)
        return len(missing)

    def _alarms(self, ref: Ref) -> list[Due]:
        """As its log says. A channel or a directory that only others have is left to them."""
        around = self._around
        try:
            thread = self._store.load(ref.id, tenant=ref.tenant)
        except UnknownThread:
            return []
        people = around.directory(ref.tenant)
        timers = alarms(
            thread,
            now=around.clock(),
            channels=around.channels,
            updating=around.updating,
            directory=people,
        )
        return [Due(ref, timer.key, timer.due) for timer in timers]
