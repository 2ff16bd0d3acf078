"""What a client can do, and who it speaks for; asked of each request, for nothing is kept."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.requests import Request

from twelvefold.exceptions import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    TwelvefoldError,
    Unstorable,
)
from twelvefold.mcp.tasks import EXTENSION, sendable
from twelvefold.server.principal import Principal
from twelvefold.thread import Json

Context = ServerRequestContext[Any, Any]


class Who(Protocol):
    """Who makes a request. Raises `NotSignedIn`: it fails closed."""

    def __call__(self, ctx: Context, /) -> Principal: ...


def has_tasks(ctx: Context) -> bool:
    """Whether this request may be answered with a task. Older wires have no shape for one."""
    found = ctx.session.client_capabilities
    declared = (found.extensions if found else None) or {}
    return is_modern(ctx) and EXTENSION in declared


def expect_tasks(ctx: Context) -> None:
    """Raises `MCPError` where the client has not said that it knows tasks."""
    require_client_extension(ctx, EXTENSION)


def is_modern(ctx: Context) -> bool:
    """Whether what is asked of a person goes into the answer, and not back through a channel."""
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def has_forms(ctx: Context) -> bool:
    found = ctx.session.client_capabilities
    able = found.elicitation if found else None
    return able is not None and (able.form is not None or able.url is None)


async def elicited(ctx: Context, request: Mapping[str, Json]) -> dict[str, Json]:
    """What the person of an older client says, asked now and waited for."""
    params = ElicitRequestFormParams.model_validate(sendable(request["params"]))
    result = await ctx.session.send_request(
        ElicitRequest(params=params),
        ElicitResult,
        metadata=ServerMessageMetadata(related_request_id=ctx.request_id),
    )
    return {"action": result.action, "content": cast("Json", result.content)}


def request_of(ctx: Context) -> Request | None:
    """The request of HTTP that brought it; None for what came by another way."""
    found: object = ctx.request
    return cast("Request", found) if isinstance(found, Request) else None


def error_of(error: TwelvefoldError) -> MCPError:
    """A refusal as an error of the protocol, for what is no call of a tool."""
    match error:
        case NotFound() | InvalidRequest() | Unstorable():
            code = INVALID_PARAMS
        case NotPermitted() | NotSignedIn() | NotAllowed():
            code = INVALID_REQUEST
        case _:
            code = INTERNAL_ERROR
    return MCPError(code=code, message=str(sendable(str(error) or error.__doc__ or "")))
