"""`?wait_s=`: answer when the thread rests, or when the time is over, whichever comes first."""

from contextlib import suppress
from typing import Annotated

from pydantic import Field

from twelvefold.app import App
from twelvefold.server.api.asked import Asked
from twelvefold.store import ThreadRow

WAIT_S_MAX = 30


class Waiting(Asked):
    wait_s: Annotated[
        float, Field(ge=0, le=WAIT_S_MAX, description="How long to wait until the thread rests.")
    ] = 0


async def rested(app: App, thread_id: str, *, tenant: str, wait_s: float) -> ThreadRow:
    """The thread as it is then."""
    if wait_s:
        with suppress(TimeoutError):
            await app.wait(thread_id, timeout_s=wait_s, tenant=tenant)
    return app.store.thread_row(thread_id, tenant=tenant)
