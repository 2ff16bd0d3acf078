"""Channels that fetch what comes in, such as a mailbox: run beside the engine of a process.

Several processes may listen to one mailbox: a delivery that two of them bring counts once.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol, cast

from twelvefold.app.receiving import Receiving
from twelvefold.exceptions import ConfigurationError
from twelvefold.inbound import Receive, Receiver

PAUSE_FIRST_S = 1.0
PAUSE_MAX_S = 60.0
"""Between two tries; pauses double from the first to the second, and begin anew after a time of
listening that was longer."""

log = logging.getLogger("twelvefold")


class Listener(Receiver, Protocol):
    """A receiver that fetches, too. Where it has `listens` and that is false, there is nothing to
    listen to."""

    async def listen(self, receive: Receive, /) -> None:
        """Give what comes to `receive`, until it is cancelled. What it raises is logged, and it is
        tried again; `ConfigurationError` does not pass, and ends it."""
        ...


def listeners(app: Receiving) -> list[Listener]:
    return [
        cast(Listener, one)
        for one in app.receivers.values()
        if hasattr(one, "listen") and getattr(one, "listens", True)
    ]


@asynccontextmanager
async def listening(app: Receiving, *, pause_s: float = PAUSE_FIRST_S) -> AsyncGenerator[None]:
    """While the block lasts, what those channels fetch is received."""
    tasks = [asyncio.create_task(_kept(one, app.receive, pause_s)) for one in listeners(app)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept(one: Listener, receive: Receive, first_s: float) -> None:
    now, pause_s = asyncio.get_running_loop().time, first_s
    while True:
        begun = now()
        try:
            await one.listen(receive)
        except ConfigurationError as error:
            log.error("%s is not listened to: %s", one.name, error)
            return
        except Exception as error:  # what is away comes back
            log.warning("%s is listened to again in %.0f s: %s", one.name, pause_s, error)
        if now() - begun > PAUSE_MAX_S:
            pause_s = first_s
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, PAUSE_MAX_S)
