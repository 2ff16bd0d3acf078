"""The engine inside the process that serves: one process for development and small installations.

Another process may advance the threads of the log meanwhile; then this one stands by, as a worker
does, and takes over when that one ends.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from twelvefold.app import App
from twelvefold.app.listening import listening
from twelvefold.loop import Engine

log = logging.getLogger("twelvefold.server")


@asynccontextmanager
async def running(app: App) -> AsyncGenerator[tuple[Engine, "asyncio.Future[bool]"]]:
    """Threads are advanced, and channels that listen are listened to, while the block lasts; at its
    end, what runs may end in the grace that `App(stop_grace_s=)` gives. The future is that of the
    engine."""
    engine = app.new_engine()
    advancing = asyncio.ensure_future(engine.run())
    advancing.add_done_callback(_told)
    try:
        async with listening(app):
            yield engine, advancing
    finally:
        engine.stop()
        await asyncio.wait({advancing})


def lifespan(app: App) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """For the application that serves, `FastAPI(lifespan=lifespan(app))`: that of one which is
    mounted, or whose routes are included, is never run."""

    @asynccontextmanager
    async def lasts(_: Any) -> AsyncGenerator[None]:
        async with running(app):
            yield

    return lasts


def _told(advancing: "asyncio.Future[bool]") -> None:
    if not advancing.cancelled() and (error := advancing.exception()) is not None:
        log.error("no thread is advanced here any more: %s", error, exc_info=error)
