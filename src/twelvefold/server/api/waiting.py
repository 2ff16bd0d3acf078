"""`?wait_s=`: answer when the thread rests, or when the time is over, whichever comes first."""

import asyncio
import time
from functools import partial
from typing import Annotated

from anyio.to_thread import run_sync
from pydantic import Field

from twelvefold.exceptions import StoreUnavailable
from twelvefold.server.api.asked import Asked
from twelvefold.server.serving import Serving
from twelvefold.store import ThreadRow

WAIT_S_MAX = 30
PAUSE_S, PAUSE_S_MAX = 0.05, 0.5
"""Between two looks, at first and at last: many may wait for long."""
GROWS = 1.5


class Waiting(Asked):
    wait_s: Annotated[
        float, Field(ge=0, le=WAIT_S_MAX, description="How long to wait until the thread rests.")
    ] = 0


async def rested(serving: Serving, thread_id: str, *, tenant: str, wait_s: float) -> ThreadRow:
    """The thread as it is then, or when the server stops."""
    look = partial(serving.app.store.thread_row, thread_id, tenant=tenant)
    until, pause_s = time.monotonic() + wait_s, PAUSE_S
    while True:
        row, left_s = await run_sync(look), until - time.monotonic()
        if row.status != "running" or left_s <= 0 or _stops(serving):
            return row
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * GROWS, PAUSE_S_MAX)


def _stops(serving: Serving) -> bool:
    try:
        serving.feed.expect_open()
    except StoreUnavailable:
        return True
    return False
