"""Puts the gateway together: an `MCPServer` of the SDK, to which tools of your own may be added."""

import hashlib
import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.server.request_state import AESGCMRequestStateCodec, RequestStateSecurity
from mcp_types import ToolAnnotations

from twelvefold import __version__
from twelvefold.app import App
from twelvefold.exceptions import ConfigurationError
from twelvefold.mcp.calls import Calls
from twelvefold.mcp.clients import Context, Who
from twelvefold.mcp.extension import Tasks
from twelvefold.mcp.headers import expect_task_name
from twelvefold.mcp.offers import Offer, checked_offers
from twelvefold.mcp.settings import Settings
from twelvefold.mcp.verbs import verbs_of
from twelvefold.thread import Json, canonical

PURPOSE = "mcp request state"


def build(
    app: App,
    who: Who,
    *,
    secret: Callable[[], bytes],
    offers: Iterable[Offer | str] | None,
    settings: Settings,
) -> "MCPServer[Any]":
    """The gateway. `secret` seals what a client has to send back; the same in every process."""
    with _own_logging():
        return _built(app, who, secret=secret, offers=offers, settings=settings)


@contextmanager
def _own_logging() -> Generator[None]:
    """The SDK gives the root logger a handler and a level; that is for whose process it is."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def _built(
    app: App,
    who: Who,
    *,
    secret: Callable[[], bytes],
    offers: Iterable[Offer | str] | None,
    settings: Settings,
) -> "MCPServer[Any]":
    offered = checked_offers(app.agents, offers)
    calls = Calls(app, settings.poll_ms, settings.wait_s)
    verbs = verbs_of(calls)
    tools = [
        *(
            _tool(v.name, v.about, v.takes.model_json_schema(), reads=v.reads)
            for v in verbs.values()
        ),
        *(_tool(o.tool, o.about, o.schema(), reads=False) for o in offered.values()),
    ]

    def bound(ctx: Context) -> str:
        principal = who(ctx)
        return hashlib.sha256(canonical([principal.tenant, principal.name]).encode()).hexdigest()

    return MCPServer(
        settings.name,
        version=__version__,
        tools=tools,
        extensions=[Tasks(calls, offered, verbs, who)],
        middleware=[expect_task_name],
        request_state_security=RequestStateSecurity(codec=_Seal(secret), bind_principal=bound),
        log_level="WARNING",
    )


class _Seal:
    """Seals by a key that is read when it is first needed, for nothing opens the store before."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret

    @cached_property
    def _codec(self) -> AESGCMRequestStateCodec:
        return AESGCMRequestStateCodec([self._secret()])

    def seal(self, payload: bytes) -> str:
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        return self._codec.unseal(token)


def _tool(name: str, about: str, schema: Mapping[str, Json], *, reads: bool) -> Tool:
    """What a client is told of a tool. It is called by `Tasks`, and never by the SDK."""
    hints = ToolAnnotations(read_only_hint=reads, open_world_hint=not reads)
    tool = Tool.from_function(
        _never, name=name, description=about, annotations=hints, structured_output=False
    )
    return tool.model_copy(update={"parameters": dict(schema)})


async def _never() -> str:
    raise ConfigurationError("Tools of agents are called through the gateway alone.")
