"""The gateway by streamable HTTP: an ASGI application, or a path of the server.

Who comes in is decided as for the HTTP API, before anything of the protocol is read: keys, visits,
a proxy, or this machine while there is no key. A session of an older client belongs to whoever
opened it (`older`). Everything opens at the first request, so no lifespan is needed.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from mcp.server import MCPServer
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http import EventStore
from mcp.server.streamable_http_manager import (
    DEFAULT_SESSION_IDLE_TIMEOUT,
    StreamableHTTPSessionManager,
)
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from twelvefold.app import App
from twelvefold.exceptions import NotSignedIn, StoreUnavailable, TwelvefoldError
from twelvefold.mcp.building import PURPOSE, build
from twelvefold.mcp.clients import Context, request_of
from twelvefold.mcp.offers import Offer
from twelvefold.mcp.older import Older
from twelvefold.mcp.settings import Settings
from twelvefold.server.access.around import Around
from twelvefold.server.access.dressing import HEADERS, dressed
from twelvefold.server.access.forgery import refuse_other_sites
from twelvefold.server.access.signing import Signing
from twelvefold.server.principal import Principal
from twelvefold.server.problems import http_problem, problem_of
from twelvefold.server.runner import lifespan
from twelvefold.server.serving import Serving
from twelvefold.thread import canonical

if TYPE_CHECKING:
    from twelvefold.server.access import Way

PATH = "/mcp"
_WHO = "twelvefold.mcp.principal"
_OF_BROWSERS = (b"origin", b"sec-fetch-site")
STOP_LOOK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What the transport of older clients may keep: `events` to resume their streams from, after
    how many milliseconds to come back, and how long an idle session stays in the memory of this
    process (a request brings it back)."""

    events: EventStore | None = None
    retry_ms: int | None = None
    idle_s: float = DEFAULT_SESSION_IDLE_TIMEOUT


class Gateway:
    """The ASGI application. `server` is the SDK's: add tools, prompts and resources to it."""

    def __init__(
        self,
        serving: Serving,
        *,
        offers: Iterable[Offer | str] | None = None,
        settings: Settings | None = None,
        wire: Wire | None = None,
        runner: bool = False,
    ) -> None:
        self.serving, self._wire = serving, wire or Wire()
        self._runner = lifespan(serving.app) if runner else None
        self._running: _Running | None = None
        self.server: MCPServer[Any] = build(
            serving.app,
            principal_in,
            secret=self._secret,
            offers=offers,
            settings=settings or Settings(),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._lifespan(receive, send)
        send, request = _dressing(send), Request(scope, receive)
        try:
            scope[_WHO] = who = await self._let_in(request)
            older = await self._started()
            scope["user"] = _user(who)
            await older(scope, receive, send, who=who)
        except TwelvefoldError as error:
            return await dressed(request, problem_of(error))(scope, receive, send)
        except HTTPException as error:
            return await dressed(request, http_problem(error))(scope, receive, send)

    async def _let_in(self, request: Request) -> Principal:
        """Raises `NotSignedIn` and `NotPermitted`.

        No form of another site sends JSON unasked, and what says where it comes from has to come
        from here: so nothing more is asked of a page of this origin. A visit's cookie is no way in.
        """
        refuse_other_sites(request)
        own = [
            (name, value) for name, value in request.scope["headers"] if name not in _OF_BROWSERS
        ]
        return await self.serving.access.principal(Request({**request.scope, "headers": own}))

    @cached_property
    def _signing(self) -> Signing:
        return Around(self.serving.app, self.serving.options.signing_key).signing

    def _secret(self) -> bytes:
        return self._signing.mac(PURPOSE).encode()

    async def _started(self) -> Older:
        """What serves in this event loop. Raises `StoreUnavailable` when the server stops."""
        self.serving.feed.expect_open()
        loop = asyncio.get_running_loop()
        if self._running is None or self._running.loop is not loop:
            manager = self._manager()
            older = Older(
                manager.handle_request,
                self.serving.app,
                lambda: self._signing,
                idle_s=self._wire.idle_s,
                resumes=self._wire.events is not None,
            )
            self._running = _Running(manager, older, self.serving, loop)
        return await self._running.older()

    def _manager(self) -> StreamableHTTPSessionManager:
        self.server.streamable_http_app(
            event_store=self._wire.events,
            retry_interval=self._wire.retry_ms,
            session_idle_timeout=self._wire.idle_s,
            max_request_body_size=self.serving.options.body_bytes_max,
            # Hosts and origins are for the way in to judge, which knows what it is reached by.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        return self.server.session_manager

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """For a server that runs this alone."""
        await receive()
        lasting: AbstractAsyncContextManager[None] | None = None
        if self._runner is not None:
            lasting = self._runner(self)
            await lasting.__aenter__()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if lasting is not None:
            await lasting.__aexit__(None, None, None)
        await send({"type": "lifespan.shutdown.complete"})


class _Running:
    """The sessions of one event loop, until the server stops."""

    def __init__(
        self,
        manager: StreamableHTTPSessionManager,
        older: Older,
        serving: Serving,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.loop, self._manager, self._older, self._serving = loop, manager, older, serving
        self._ready: asyncio.Future[None] = loop.create_future()
        self._task = loop.create_task(self._run())

    async def older(self) -> Older:
        await asyncio.shield(self._ready)
        return self._older

    async def _run(self) -> None:
        async with self._manager.run():
            self._ready.set_result(None)
            while self._goes_on():  # noqa: ASYNC110  (the feed says so to whoever asks)
                await asyncio.sleep(STOP_LOOK_S)

    def _goes_on(self) -> bool:
        try:
            self._serving.feed.expect_open()
        except StoreUnavailable:
            return False
        return True


def _dressing(send: Send) -> Send:
    """The headers that every answer of the server carries."""

    async def dressing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return dressing


def principal_in(ctx: Context) -> Principal:
    """Who made this request. Raises `NotSignedIn` where none was let in."""
    request = request_of(ctx)
    who = None if request is None else request.scope.get(_WHO)
    if not isinstance(who, Principal):
        raise NotSignedIn("Nobody was let in by this request. Nothing was done.")
    return who


def _user(who: Principal) -> AuthenticatedUser:
    """Binds a session of the SDK to whoever opened it."""
    return AuthenticatedUser(
        AccessToken(token="", client_id=canonical([who.tenant, who.name]), scopes=[])
    )


def gateway(app: App, *, access: "Way | None", runner: bool, **options: Any) -> Gateway:
    """Stands alone."""
    from twelvefold.server.building import create_app

    settings = {
        name: options.pop(name) for name in ("offers", "settings", "wire") if name in options
    }
    served = create_app(app, access=access, **options)
    return Gateway(served.state.serving, runner=runner, **settings)


def mount(served: FastAPI, *, path: str = PATH, **options: Any) -> Gateway:
    """Serve it at a path of what `create_app` made."""
    serving: Serving = served.state.serving
    made = Gateway(serving, **options)
    served.router.routes.insert(0, Route(serving.options.prefix + path, endpoint=made))
    return made
