"""One row per route, with all that OpenAPI says of it: who may, what it answers and refuses."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NotRequired

from fastapi import APIRouter, Depends, Header, Request, Security
from fastapi.security import HTTPBearer
from typing_extensions import TypedDict

from twelvefold.server.api.once import Once, idempotency_key
from twelvefold.server.principal import Principal, Scope
from twelvefold.server.problems import MEDIA_TYPE, ProblemRoute
from twelvefold.server.serving import Serving

BEARER = HTTPBearer(
    scheme_name="key",
    description="An API key: `Authorization: Bearer <key>`. `twelvefold keys create` makes one.",
    auto_error=False,
)


class TwelvefoldProblem(TypedDict):
    """RFC 9457. `errors` says what is wrong by field; `decided` how a contact ended."""

    type: str
    title: str
    status: int
    detail: str
    retryable: bool
    errors: NotRequired[dict[str, str]]
    decided: NotRequired[dict[str, str | None]]


PROBLEMS = {
    400: "The body is not JSON.",
    401: "Nobody who is known here.",
    403: "Known, but without the scope, or not one of those who are asked.",
    404: "Nothing here has this name, for this tenant.",
    409: "It would change nothing any more; or the same request is still being worked on.",
    410: "The time to answer is over.",
    412: "`If-Match` names something else than what is there by now.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    422: "Not of the described shape, by field; or an `Idempotency-Key` used for another body.",
    429: "Too many requests; `Retry-After` says when.",
    500: "An error in the application or here; nothing is known of what was done.",
    503: "The store does not answer. The same request may succeed a little later.",
    507: "The disk or the database is full.",
}
ALWAYS = (401, 403, 422, 429, 500, 503)
WITH_BODY = (400, 409, 413, 415, 507)

_ETAG = {"schema": {"type": "string"}, "description": "For `If-Match`."}
_LOCATION = {"schema": {"type": "string"}, "description": "Where it is."}
_REPLAYED = {
    "schema": {"type": "string", "enum": ["true"]},
    "description": "Present where this is the stored answer to an earlier request with this key.",
}


class Routes:
    """The routes of one noun."""

    def __init__(self, serving: Serving, tag: str) -> None:
        self.serving = serving
        self._once = Once(serving)
        self.router = APIRouter(route_class=bound_route(serving), tags=[tag])

    def add(
        self,
        method: str,
        path: str,
        endpoint: Callable[..., Any],
        *,
        scope: Scope,
        returns: Any,
        status: int = 200,
        problems: Sequence[int] = (),
        etag: bool = False,
        content: dict[str, Any] | None = None,
    ) -> None:
        """`problems`: those beside the ones that every route has."""
        statuses = {*ALWAYS, *problems, *(WITH_BODY if method == "POST" else ())}
        summary, _, rest = (endpoint.__doc__ or "").strip().partition("\n\n")
        described: dict[int | str, dict[str, Any]] = {
            status: _success(status, etag=etag, method=method, content=content),
            **{each: refusal(each) for each in sorted(statuses)},
        }
        dependencies: list[Any] = [Security(BEARER), Depends(_let_in(self.serving, scope))]
        if method == "POST":
            dependencies += [Depends(idempotency_key)]
        if 412 in problems:
            dependencies += [Depends(_if_match)]
        self.router.add_api_route(
            path,
            self._once.each(endpoint) if method == "POST" else endpoint,
            methods=[method],
            status_code=status,
            response_model=returns,
            summary=" ".join(summary.split()).rstrip("."),
            description=" ".join(rest.split()),
            responses=described,
            dependencies=dependencies,
        )


def bound_route(serving: Serving) -> type[ProblemRoute]:
    """The routes of this server: how large a body may be is its own."""

    class Bound(ProblemRoute):
        body_bytes_max = serving.options.body_bytes_max

    return Bound


async def _if_match(
    if_match: Annotated[
        str | None, Header(description="The ETag of what you saw; 412 if it is another one now.")
    ] = None,
) -> None:
    """For OpenAPI: the routes read it themselves."""


def _let_in(serving: Serving, scope: Scope) -> Callable[[Request], Any]:
    async def let_in(request: Request) -> None:
        request.state.principal = await serving.who(request, scope)

    return let_in


def _principal(request: Request) -> Principal:
    return request.state.principal


Who = Annotated[Principal, Depends(_principal)]
"""Whoever was let in."""


def _success(
    status: int, *, etag: bool, method: str, content: dict[str, Any] | None
) -> dict[str, Any]:
    headers: dict[str, Any] = {"ETag": _ETAG} if etag else {}
    if status == 201:
        headers["Location"] = _LOCATION
    if method == "POST":
        headers["Idempotency-Replayed"] = _REPLAYED
    return {"headers": headers, **({"content": content} if content else {})}


def refusal(status: int) -> dict[str, Any]:
    """What OpenAPI says of it. `GET /v1/problems` brings the schema into the document."""
    shape = {"$ref": "#/components/schemas/TwelvefoldProblem"}
    return {"description": PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": shape}}}
