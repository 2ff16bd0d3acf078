"""Server-sent events: their text, and a response that ends when nobody listens any more."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import anyio
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from twelvefold.server.api.shapes import event_shape
from twelvefold.thread import Event, Json, to_text

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 15.0
RETRY_MS = 1000
"""After how long a browser comes back by itself."""
SEND_TIMEOUT_S = 30.0
"""A reader who takes nothing for so long is cut off."""

OPENING = f"retry: {RETRY_MS}\n\n".encode()
HEARTBEAT = b": still here\n\n"

log = logging.getLogger("twelvefold")


def event_text(event: Event) -> bytes:
    return message(event.type, event_shape(event), id=event.seq)


def message(name: str, data: Json, *, id: int | None = None) -> bytes:
    """One message. JSON text is a single line, as nothing in it is a line break."""
    line = name.replace("\r", " ").replace("\n", " ")
    named = "" if id is None else f"id: {id}\n"
    return f"{named}event: {line}\ndata: {to_text(data)}\n\n".encode()


def comment(text: str) -> bytes:
    return f": {text}\n\n".encode()


def is_wanted(request: Request) -> bool:
    """Whether the request asks for a stream and not for JSON."""
    ranges = ",".join(request.headers.getlist("accept")).split(",")
    return any(one.partition(";")[0].strip().lower() == MEDIA_TYPE for one in ranges)


class EventStream(Response):
    """Sends what `chunks` yields until it ends, the client is gone, or takes nothing any more."""

    media_type = MEDIA_TYPE

    def __init__(self, chunks: AsyncGenerator[bytes]) -> None:
        # An X-Accel-Buffering proxy, nginx, would keep events to itself until it has enough.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_until_gone, receive, group.cancel_scope)
            await self._stream(send)
            group.cancel_scope.cancel()

    async def _stream(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        async with aclosing(self._chunks):
            await send(start)
            async for chunk in self._chunks:
                if not await _sent(send, _body(chunk, more=True)):
                    log.info("a stream was cut off: nothing was taken for %g s", SEND_TIMEOUT_S)
                    return
            await _sent(send, _body(b"", more=False))


def _body(content: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def _sent(send: Send, message: dict[str, Any]) -> bool:
    with anyio.move_on_after(SEND_TIMEOUT_S) as waiting:
        try:
            await send(message)
        except OSError:  # it is gone
            return False
    return not waiting.cancelled_caught


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    scope.cancel()
