"""How a running advance and its tools learn that something arrived, or that they are to stop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress


class Bell:
    """How an engine tells a running advance that something arrived, or that it is to stop.
    `version` is the newest wake."""

    def __init__(self, version: int | None = None) -> None:
        self.version = version
        self.rung = asyncio.Event()
        self.stopped = False
        self.heard: Callable[[], None] | None = None
        """Called at once: the advance itself may be inside the act that has to know."""

    def ring(self, version: int) -> None:
        self.version = version
        self._ring()

    def stop(self) -> None:
        """Begin nothing more: record what is under way, and leave the thread woken."""
        self.stopped = True
        self._ring()

    def _ring(self) -> None:
        self.rung.set()
        if self.heard is not None:
            self.heard()


class Stop:
    """`call.cancelled` of one run: set once, from any thread, and never taken back."""

    __slots__ = ("_set", "_waiting")

    def __init__(self) -> None:
        self._set = False
        self._waiting: list[asyncio.Future[None]] = []

    def is_set(self) -> bool:
        return self._set

    async def wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if not self._set:  # asked last: whoever sets it from now on finds the future
            await future

    def set(self) -> None:
        self._set = True
        for future in self._waiting:
            with suppress(RuntimeError):  # its loop is closed: nobody waits there any more
                future.get_loop().call_soon_threadsafe(_end, future)


def _end(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
