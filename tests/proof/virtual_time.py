"""An event loop whose time only passes when everybody waits: days in milliseconds, and twice the
same."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(Exception):
    """Everybody waits, and nobody for a time."""


class _Jumping(selectors.SelectSelector):
    """Waits for no file: it moves the clock to where the loop wants to wake up."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Threads and sockets have no place in it; nothing in it depends on how fast the machine is."""

    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)
        self.set_exception_handler(_quiet)  # killed processes leave errors that nobody fetches

    def time(self) -> float:
        return self.jumping.now


def _quiet(_: asyncio.AbstractEventLoop, __: dict[str, Any]) -> None:
    return None


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    loop = VirtualLoop()
    try:
        task = loop.create_task(main)
        loop.run_until_complete(task)
        for left in asyncio.all_tasks(loop):
            left.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        return task.result()
    finally:
        loop.close()
