"""One row per route, with all that OpenAPI says of it: who may, what it answers and refuses."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Security
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from twelvefold.server.access.dressing import dressed
from twelvefold.server.api.asked import Asked
from twelvefold.server.api.describing import ALWAYS, WITH_BODY, Links, alike, success
from twelvefold.server.api.describing import refusal as refusal
from twelvefold.server.api.once import Once, idempotency_key
from twelvefold.server.principal import Principal, Scope
from twelvefold.server.problems import ProblemRoute, http_problem
from twelvefold.server.serving import Serving

BEARER = HTTPBearer(
    scheme_name="key",
    description="An API key: `Authorization: Bearer <key>`. `twelvefold keys create` makes one.",
    auto_error=False,
)

ETAGS_CHARS_MAX = 1_000
NO_LINKS: Links = {}
NOTHING_ELSE: Mapping[int, str] = {}


class Routes:
    """The routes of one noun. An operation is called `<noun>_<function>`, behind a prefix."""

    def __init__(self, serving: Serving, tag: str) -> None:
        self.serving, self._tag = serving, tag
        self._once = Once(serving)
        self._methods: dict[str, list[str]] = {}
        route_class = bound_route(serving, self._methods)
        self.router = APIRouter(route_class=route_class, tags=[tag])

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
        links: Links = NO_LINKS,
        also: Mapping[int, str] = NOTHING_ELSE,
    ) -> None:
        """`problems`: those beside the ones that every route has. `also`: other statuses that
        answer in the same shape, and when."""
        statuses = {*ALWAYS, *problems, *(WITH_BODY if method == "POST" else ())}
        summary, _, rest = (endpoint.__doc__ or "").strip().partition("\n\n")
        leads = {name: {**link, "operationId": self._named(name)} for name, link in links.items()}
        answered = success(status, method=method, etag=etag, content=content, links=leads)
        described: dict[int | str, dict[str, Any]] = {
            status: answered,
            **alike({**answered, "model": returns}, also),
            **{each: refusal(each) for each in sorted(statuses)},
        }
        self._methods.setdefault(path, []).append(method)
        self.router.add_api_route(
            path,
            self._once.each(endpoint) if method == "POST" else endpoint,
            methods=[method],
            operation_id=self._named(f"{self._tag}_{endpoint.__name__}"),
            status_code=status,
            response_model=returns,
            summary=" ".join(summary.split()).rstrip("."),
            description=" ".join(rest.split()),
            responses=described,
            dependencies=self._dependencies(method, scope, 412 in problems, endpoint),
        )

    def _named(self, operation: str) -> str:
        """Two servers may be included in one application."""
        return "_".join([*self.serving.options.prefix.split("/"), operation]).strip("_")

    def _dependencies(
        self, method: str, scope: Scope, takes_etag: bool, endpoint: Callable[..., Any]
    ) -> list[Any]:
        found: list[Any] = [Security(BEARER), Depends(_let_in(self.serving, scope))]
        found += [] if _has_query(endpoint) else [Depends(_no_query)]
        found += [Depends(idempotency_key)] if method == "POST" else []
        return [*found, Depends(_if_match)] if takes_etag else found


def bound_route(
    serving: Serving, methods: Mapping[str, Sequence[str]] | None = None
) -> type[ProblemRoute]:
    """The routes of this server: how large a body may be is its own. `methods` of each path."""
    known: Mapping[str, Sequence[str]] = (
        {} if methods is None else methods
    )  # it fills up after this

    class Bound(ProblemRoute):
        body_bytes_max = serving.options.body_bytes_max

        async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
            mine = self.methods or set[str]()
            if scope["method"] in mine:
                return await super().handle(scope, receive, send)
            # The framework would name those of this route alone, and not of the whole path.
            ours = [known[path] for path in known if self.path.endswith(path)]
            allowed = sorted(mine.union(*ours))
            refused = http_problem(HTTPException(405, headers={"Allow": ", ".join(allowed)}))
            await dressed(Request(scope), refused)(scope, receive, send)

    return Bound


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=ETAGS_CHARS_MAX,
            description="The ETag of what you saw; 412 if it is another one now.",
        ),
    ] = None,
) -> None:
    """For OpenAPI: the routes read it themselves."""


def _has_query(endpoint: Callable[..., Any]) -> bool:
    return "asked" in signature(endpoint).parameters


async def _no_query(asked: Annotated[Asked, Query()]) -> None:
    """A wish that nobody reads is refused, as a field of a body is."""


def _let_in(serving: Serving, scope: Scope) -> Callable[[Request], Any]:
    async def let_in(request: Request) -> None:
        request.state.principal = await serving.who(request, scope)

    return let_in


def _principal(request: Request) -> Principal:
    return request.state.principal


Who = Annotated[Principal, Depends(_principal)]
"""Whoever was let in."""
