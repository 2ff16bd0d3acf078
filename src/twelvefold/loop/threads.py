"""A sync tool in a thread of its own, which can be given up but not killed.

Not in a pool: a tool that hangs must not take the place of others, and the process must be able to
end without it.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ended:
    """How the thread ended: with a value, or with what was raised."""

    value: Any = None
    error: BaseException | None = None

    def take(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


async def in_thread(
    work: Callable[[], Any], *, name: str, late: Callable[[Ended], None] | None = None
) -> Any:
    """`work()` in a thread. Cancelled, it gives the thread up: the thread goes on, and `late` is
    called in it with what it brings."""
    run = _Threaded(contextvars.copy_context(), work, late)
    threading.Thread(target=run.go, name=f"twelvefold-{name}", daemon=True).start()
    return await run.ended()


class _Threaded:
    """Thread and loop settle under one lock which of them takes the outcome on."""

    def __init__(
        self,
        context: contextvars.Context,
        work: Callable[[], Any],
        late: Callable[[Ended], None] | None,
    ) -> None:
        self._context, self._work, self._late = context, work, late
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()
        self._lock = threading.Lock()
        self._given_up = False
        self._ended: Ended | None = None

    def go(self) -> None:
        try:
            ended = Ended(self._context.run(self._work))
        except BaseException as error:  # SystemExit too: it is for whoever waits
            ended = Ended(error=error)
        if not self._hand_over(ended) and self._late is not None:
            self._late(ended)

    def _hand_over(self, ended: Ended) -> bool:
        with self._lock:
            self._ended = ended
            if not self._given_up:
                with suppress(RuntimeError):  # the loop was closed over our heads
                    self._loop.call_soon_threadsafe(self._tell)
                    return True
            return False

    def _tell(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def ended(self) -> Any:
        try:
            await self._future
        except asyncio.CancelledError:
            with self._lock:
                self._given_up = self._ended is None
            if self._given_up:
                raise
        assert self._ended is not None  # else the future would not be done
        return self._ended.take()
