"""Reading a stream to its end, or to where it breaks off."""

import logging
from collections.abc import AsyncIterator, Callable

from twelvefold.messages import ModelRequest
from twelvefold.thread import Json
from twelvefold.vendors.failures import unreachable

OnPartial = Callable[[str, ModelRequest], None]
"""Called with the text so far, for display. What it raises is logged, and changes nothing."""

log = logging.getLogger("twelvefold")


class Partial:
    """The text so far of one streamed reply."""

    def __init__(self, show: OnPartial | None, request: ModelRequest) -> None:
        self._show, self._request = show, request
        self.text = ""

    def add(self, more: str) -> None:
        if not more:
            return
        self.text += more
        if self._show is not None:
            try:
                self._show(self.text, self._request)
            except Exception:
                log.exception("on_partial failed; the call goes on")


async def gathered(
    events: AsyncIterator[Json], take: Callable[[Json], str], shown: Partial
) -> None:
    """Take in every event. A connection that is lost after the first text ends the stream, which
    then is a reply without its end; before it, the call may be tried again."""
    try:
        async for event in events:
            shown.add(take(event))
    except Exception as error:
        lost = unreachable(error, "")
        if lost is None or lost.reason == "timeout" or not shown.text:
            raise
