"""What comes up while the server is busy with the same is asked of it at once, in one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence


class Together:
    """Numbers for `write`, of which one call is under way at a time."""

    def __init__(self, write: Callable[[Sequence[int]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, number: int) -> None:
        """Returns when it is written. Raises what `write` raised for the group that it was in."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((number, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._write([number for number, _ in group])
            except Exception as error:
                _end(group, error)
            else:
                _end(group, None)


def _end(group: "Sequence[tuple[int, asyncio.Future[None]]]", error: Exception | None) -> None:
    for _, written in group:
        if written.done():  # its caller is gone
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
