"""Every refusal as `application/problem+json` (RFC 9457), which says what to do.

One table maps exceptions to a status and a stable type. Routes raise; they build no responses for
errors. `ProblemRoute` also works in a router that somebody else's application includes.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from twelvefold.exceptions import (
    ConfigurationError,
    Conflict,
    InvalidAnswer,
    InvalidFile,
    NotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TwelvefoldError,
    UnknownAgent,
    Unstorable,
)

MEDIA_TYPE = "application/problem+json"
TYPES = "https://twelvefold.dev/problems/"

STATUSES: list[tuple[type[TwelvefoldError], int, str, bool]] = [
    (NotSignedIn, 401, "not-signed-in", False),
    (NotPermitted, 403, "not-permitted", False),
    (NotAllowed, 403, "not-allowed", False),
    (NotFound, 404, "not-found", False),
    (UnknownAgent, 404, "unknown-agent", False),
    (Conflict, 409, "conflict", False),
    (InvalidAnswer, 422, "invalid-answer", False),
    (InvalidFile, 422, "invalid-edit", False),
    (Unstorable, 422, "not-storable", False),
    (StoreFull, 507, "store-full", True),
    (StoreUnavailable, 503, "store-unavailable", True),
    (StoreError, 500, "store-error", False),
    (ConfigurationError, 500, "configuration", False),
    (TwelvefoldError, 500, "error", False),
]
"""The first class that fits: (exception, status, type, whether the same request may succeed)."""


def problem(
    status: int, type: str, detail: str, *, retryable: bool = False, **more: Any
) -> JSONResponse:
    """One refusal. `detail` says what happened, why, and what to do next."""
    title = type.replace("-", " ").capitalize()
    body = {"type": TYPES + type, "title": title, "status": status, "detail": detail}
    headers = {"Retry-After": "1"} if retryable else None
    return JSONResponse(
        {**body, "retryable": retryable, **more}, status, headers, media_type=MEDIA_TYPE
    )


def problem_of(error: TwelvefoldError) -> JSONResponse:
    _, status, type, retryable = next(row for row in STATUSES if isinstance(error, row[0]))
    more = {"errors": error.errors} if isinstance(error, InvalidAnswer) else {}
    return problem(status, type, str(error) or error.__doc__ or "", retryable=retryable, **more)


def invalid(error: RequestValidationError) -> JSONResponse:
    """422, with what is wrong by field."""
    errors = {".".join(map(str, e["loc"])): str(e["msg"]) for e in error.errors()}
    said = "; ".join(f"{field}: {message}" for field, message in errors.items())
    detail = f"The request is not of the described shape: {said}. Nothing was done."
    return problem(422, "invalid-request", detail, errors=errors)


def http_problem(error: HTTPException) -> JSONResponse:
    """What the framework refuses by itself: no such path, no such method."""
    said = {404: "no-such-path", 405: "no-such-method"}.get(error.status_code, "refused")
    detail = f"{error.detail}. /openapi.json lists the paths and methods there are."
    response = problem(error.status_code, said, detail)
    response.headers.update(error.headers or {})
    return response


class ProblemRoute(APIRoute):
    """A route whose exceptions become problems, in any application."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return invalid(error)
            except TwelvefoldError as error:
                return problem_of(error)

        return answered
