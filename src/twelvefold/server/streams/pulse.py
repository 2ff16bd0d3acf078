"""A task that looks at the store again and again, while somebody reads what it finds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from twelvefold.exceptions import StoreError

FAILURES_MAX = 10
"""After so many looks in a row that failed, those who read are sent away."""
FAILED_PAUSE_S = 1.0

UNANSWERED = "the store does not answer"
BROKEN = "the feed failed, and its log says why"

log = logging.getLogger("twelvefold")


class Pulse:
    """Calls `beat` every `every_s` between `start` and `stop`. `failed` hears why it gave up."""

    def __init__(
        self, beat: Callable[[], Awaitable[None]], failed: Callable[[str], None], *, every_s: float
    ) -> None:
        self._beat, self._failed, self._every_s = beat, failed, every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Of several starts one counts. To be called in the loop of those who read."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        failures = 0
        while failures < FAILURES_MAX:
            try:
                await self._beat()
                failures = 0
                await asyncio.sleep(self._every_s)
            except StoreError as error:
                failures += 1
                log.warning("streams wait for the store: %s", error)
                await asyncio.sleep(FAILED_PAUSE_S)
            except Exception:
                log.exception("streams end")
                return self._failed(BROKEN)
        self._failed(UNANSWERED)
