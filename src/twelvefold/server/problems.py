"""Every refusal as `application/problem+json` (RFC 9457), which says what to do.

One table maps exceptions to a status and a stable type. Routes raise; they build no responses for
errors. `ProblemRoute` also works in a router that somebody else's application includes.
"""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from twelvefold.exceptions import (
    AlreadyDecided,
    ConfigurationError,
    Conflict,
    Expired,
    InFlight,
    InvalidAnswer,
    InvalidFile,
    InvalidRequest,
    KeyReused,
    Moved,
    NotAllowed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TooManyRequests,
    TwelvefoldError,
    UnknownAgent,
    Unstorable,
    UrlRefused,
)
from twelvefold.server.access.dressing import dressed
from twelvefold.server.bodies import BODY_BYTES_MAX, Refused, checked
from twelvefold.thread import Json, to_text

log = logging.getLogger("twelvefold.server")

MEDIA_TYPE = "application/problem+json"
TYPES = "https://twelvefold.dev/problems/"

STATUSES: list[tuple[type[TwelvefoldError], int, str, bool]] = [
    (NotSignedIn, 401, "not-signed-in", False),
    (NotPermitted, 403, "not-permitted", False),
    (TooManyRequests, 429, "too-many-requests", True),
    (NotAllowed, 403, "not-allowed", False),
    (NotFound, 404, "not-found", False),
    (UnknownAgent, 404, "unknown-agent", False),
    (Expired, 410, "expired", False),
    (AlreadyDecided, 409, "already-decided", False),
    (Moved, 412, "moved", False),
    (InFlight, 409, "in-flight", True),
    (Conflict, 409, "conflict", False),
    (InvalidAnswer, 422, "invalid-answer", False),
    (KeyReused, 422, "key-reused", False),
    (InvalidRequest, 422, "invalid-request", False),
    (InvalidFile, 422, "invalid-edit", False),
    (Unstorable, 422, "not-storable", False),
    (UrlRefused, 422, "url-refused", False),
    (StoreFull, 507, "store-full", True),
    (StoreUnavailable, 503, "store-unavailable", True),
    (StoreError, 500, "store-error", False),
    (ConfigurationError, 500, "configuration", False),
    (TwelvefoldError, 500, "error", False),
]
"""The first class that fits: (exception, status, type, whether the same request may succeed)."""

UNEXPECTED = (
    "An error that nobody expected, in the application or here; its log says which. It is not known"
    " what was done: look before you repeat it, or repeat it with the same Idempotency-Key."
)
_OF_HTTP = {404: "no-such-path", 405: "no-such-method", 400: "malformed"}


def problem(
    status: int, type: str, detail: str, *, retryable: bool = False, **more: Any
) -> Response:
    """One refusal. `detail` says what happened, why, and what to do next."""
    title = type.replace("-", " ").capitalize()
    body: dict[str, Json] = {"type": TYPES + type, "title": title, "status": status}
    body |= {"detail": detail, "retryable": retryable, **more}
    headers = {"Retry-After": "1"} if retryable else None
    # Not JSONResponse: a lone surrogate that somebody sent would be an error of its own.
    return Response(to_text(body).encode(), status, headers, media_type=MEDIA_TYPE)


def problem_of(error: TwelvefoldError) -> Response:
    _, status, type, retryable = next(row for row in STATUSES if isinstance(error, row[0]))
    detail = str(error) or error.__doc__ or ""
    response = problem(status, type, detail, retryable=retryable, **_more(error))
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _more(error: TwelvefoldError) -> dict[str, Json]:
    match error:
        case InvalidAnswer() | InvalidRequest():
            return {"errors": error.errors}
        case AlreadyDecided():
            names = ("outcome", "by", "at", "channel")
            return {"decided": {name: getattr(error, name) or None for name in names}}
        case _:
            return {}


def invalid(error: RequestValidationError) -> Response:
    """422, with what is wrong by field; 400 for a body that is no JSON."""
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        said = found[0].get("ctx", {}).get("error", "")
        detail = f"The body is not JSON: {said}. Nothing was done; correct it."
        return problem(400, "malformed", detail)
    errors = {".".join(map(str, e["loc"])): str(e["msg"]) for e in found}
    told = "; ".join(f"{field}: {message}" for field, message in errors.items())
    detail = f"The request is not of the described shape: {told}. Nothing was done."
    return problem(422, "invalid-request", detail, errors=errors)


def http_problem(error: HTTPException) -> Response:
    """What the framework refuses by itself: no such path, no such method, no such encoding."""
    said = _OF_HTTP.get(error.status_code, "refused")
    detail = f"{error.detail}. /openapi.json lists the paths and methods there are."
    response = problem(error.status_code, said, detail)
    response.headers.update(error.headers or {})
    return response


class ProblemRoute(APIRoute):
    """A route whose exceptions become problems, in any application.

    A body of JSON above `body_bytes_max`, or of another type, is refused before it is read.
    """

    body_bytes_max: int = BODY_BYTES_MAX

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                response = await handle(
                    checked(request, self.body_field, bytes_max=self.body_bytes_max)
                )
            except Refused as error:
                response = problem(error.status_code, error.type, error.detail)
            except RequestValidationError as error:
                response = invalid(error)
            except HTTPException as error:
                response = http_problem(error)
            except TwelvefoldError as error:
                response = problem_of(error)
            except Exception:
                log.exception("%s %s failed", request.method, request.url.path)
                response = problem(500, "error", UNEXPECTED)
            return dressed(request, response)

        return answered
