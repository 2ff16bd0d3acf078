"""Clients before 2026-07-28, whose session goes on in every process, also after a kill.

The SDK keeps sessions in memory, under ids of its own. A client gets another id, which carries what
it said when it began (`hellos`); a process that has not met it says that again to the SDK.

- An id is for whoever began it, it ends by DELETE for all processes, and it is over after a while.
  Whatever is none, or not any more, is passed on as it came: the SDK knows no such session (404).
- What the server asks within a call comes back to the process that asked.
"""

import asyncio
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from anyio.to_thread import run_sync
from mcp.server.streamable_http import LAST_EVENT_ID_HEADER, MCP_SESSION_ID_HEADER
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twelvefold.app import App
from twelvefold.mcp.hellos import LASTS, Hello, ended_name, hello_of, id_of
from twelvefold.server.access.signing import Signing
from twelvefold.server.principal import Principal

CHANCE_BYTES = 16
_BAD, _GONE = 400, 404
_SAYS = [
    (b"accept", b"application/json, text/event-stream"),
    (b"content-type", b"application/json"),
]


@dataclass(slots=True)
class _Known:
    """A session that this process has: its id in the SDK, how many requests are open, and when the
    last one was answered."""

    inner: str
    at: float
    open: int = 0

    @contextmanager
    def busy(self, clock: Callable[[], float]) -> Generator[None]:
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1
            self.at = clock()


class Older:
    """Around the SDK's application (`inner`), in one event loop.

    `signing`: asked in that loop. `idle_s`: after so long the SDK forgets a session. `resumes`: it
    keeps events to resume streams from.
    """

    def __init__(
        self,
        inner: ASGIApp,
        app: App,
        signing: Callable[[], Signing],
        *,
        idle_s: float,
        resumes: bool,
    ) -> None:
        self._inner, self._app, self._signing = inner, app, signing
        self._idle_s, self._resumes = idle_s, resumes
        self._known: dict[str, _Known] = {}
        self._turn = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, who: Principal) -> None:
        """Raises `StoreUnavailable` before anything is answered."""
        headers = Headers(scope=scope)
        version = headers.get(MCP_PROTOCOL_VERSION_HEADER)
        if version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS:
            return await self._inner(scope, receive, send)
        if not self._resumes:
            scope = _with(scope, LAST_EVENT_ID_HEADER)  # to which the SDK would answer nothing
        id = headers.get(MCP_SESSION_ID_HEADER)
        if id is None:
            return await self._begin(scope, receive, send, who)
        known = await self._met(id, scope, who)
        if known is None:
            return await self._inner(scope, receive, send)
        if scope["method"] == "DELETE":
            await run_sync(self._end, id)
            self._known.pop(id, None)
        with known.busy(self._clock):
            inner = _with(scope, MCP_SESSION_ID_HEADER, known.inner)
            await self._inner(inner, receive, self._renamed(send, id, known))

    async def _begin(self, scope: Scope, receive: Receive, send: Send, who: Principal) -> None:
        body, now = bytearray(), await run_sync(self._app.clock)

        async def read() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < _BAD:
                headers, chance = MutableHeaders(scope=message), secrets.token_hex(CHANCE_BYTES)
                inner = headers.get(MCP_SESSION_ID_HEADER)
                id = id_of(bytes(body), who, self._signing(), now=now, chance=chance)
                if inner is not None and id is not None:
                    self._learn(id, inner)
                    headers[MCP_SESSION_ID_HEADER] = id
            await send(message)

        await self._inner(scope, read, named)

    async def _met(self, id: str, scope: Scope, who: Principal) -> _Known | None:
        """The session of this id, begun anew in this process where it has to be."""
        hello = await run_sync(self._hello, id, self._signing())
        if hello is None or not hello.is_of(who):
            return None
        async with self._turn:  # or two requests at once would begin it twice
            if not self._is_there(id):
                inner = await self._said_again(hello, scope)
                return None if inner is None else self._learn(id, inner)
            return self._known[id]

    def _hello(self, id: str, signing: Signing) -> Hello | None:
        hello = hello_of(id, signing, now=self._app.clock())
        ended = hello is not None and any(self._app.store.spent([ended_name(id)]))
        return None if ended else hello

    def _end(self, id: str) -> None:
        now = self._app.clock()
        self._app.store.spend(ended_name(id), 1.0, until=now + LASTS, now=now)

    def _learn(self, id: str, inner: str) -> _Known:
        self._known = {one: self._known[one] for one in self._known if self._is_there(one)}
        self._known[id] = _Known(inner, self._clock())
        return self._known[id]

    def _is_there(self, id: str) -> bool:
        """Sooner than the SDK forgets it, for it may do so at any moment then."""
        known = self._known.get(id)
        return known is not None and (known.open > 0 or self._clock() - known.at < self._idle_s / 2)

    async def _said_again(self, hello: Hello, scope: Scope) -> str | None:
        """The id in the SDK; None where it takes no more sessions."""
        unread = [{"type": "http.request", "body": hello.said.encode(), "more_body": False}]
        found: list[str] = []

        async def read() -> Message:
            if not unread:
                await asyncio.Event().wait()  # whoever said it stays for the answer
            return unread.pop()

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < _BAD:
                found.append(Headers(raw=message["headers"])[MCP_SESSION_ID_HEADER])

        asks: Scope = {**scope, "method": "POST", "headers": _SAYS}
        await self._inner(asks, read, heard)
        return found[0] if found else None

    def _renamed(self, send: Send, id: str, known: _Known) -> Send:
        """An answer that names the session as its client knows it."""

        async def renamed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get(MCP_SESSION_ID_HEADER) == known.inner:
                    headers[MCP_SESSION_ID_HEADER] = id
                if message["status"] == _GONE and self._known.get(id) is known:
                    del self._known[id]
            await send(message)

        return renamed


def _with(scope: Scope, name: str, value: str | None = None) -> Scope:
    """The same request with another header, or without it."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    del headers[name]
    if value is not None:
        headers[name] = value
    return {**scope, "headers": headers.raw}
