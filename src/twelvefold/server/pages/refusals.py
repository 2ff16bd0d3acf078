"""Routes whose refusals are pages for people: what happened, and what to do next."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from twelvefold.exceptions import (
    InvalidAnswer,
    NotSignedIn,
    TooManyRequests,
    TwelvefoldError,
    UnknownThread,
)
from twelvefold.server.access.dressing import dressed
from twelvefold.server.access.entrance import known
from twelvefold.server.bodies import checked
from twelvefold.server.pages.layout import page
from twelvefold.server.pages.sign_in import sign_in_page
from twelvefold.server.problems import STATUSES, UNEXPECTED
from twelvefold.server.serving import Serving

log = logging.getLogger("twelvefold.server")

TITLES = {
    401: "Please sign in",
    403: "You may not do this",
    404: "Nothing here has this name",
    409: "Nothing was done",
    410: "The time to answer is over",
    413: "That is too much at once",
    422: "That is not what is awaited",
    429: "Too many requests",
    503: "The store does not answer just now",
}


NO_THREAD = (
    "There is no thread of this name here. It was erased, or the address is not whole: open it from"
    " the list of threads."
)
NO_PAGE = "There is no page at this address. Perhaps it is not whole."


def pages_router(serving: Serving) -> APIRouter:
    """An `APIRouter` for pages: none of its routes is in the OpenAPI document."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def answered(request: Request) -> Response:
                bytes_max = serving.options.body_bytes_max
                try:
                    response = await answer(checked(request, None, bytes_max=bytes_max))
                except RequestValidationError:
                    wrong = InvalidAnswer("This address or form is not one of ours.")
                    response = refusal(request, serving, wrong)
                except HTTPException as error:
                    response = refused(request, serving, error.status_code, error.detail)
                except TwelvefoldError as error:
                    response = refusal(request, serving, error)
                except Exception:
                    log.exception("%s %s failed", request.method, request.url.path)
                    response = refused(request, serving, 500, UNEXPECTED)
                return dressed(request, response)

            return answered

    return APIRouter(route_class=PageRoute, include_in_schema=False)


def refusal(request: Request, serving: Serving, error: TwelvefoldError) -> Response:
    """The page for an exception that a route raised."""
    said = NO_THREAD if isinstance(error, UnknownThread) else str(error) or error.__doc__ or ""
    if isinstance(error, NotSignedIn):
        return sign_in_page(request, serving, said=said)
    response = refused(request, serving, status_of(error), said)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def refused(request: Request, serving: Serving, status: int, said: str) -> Response:
    title, who = TITLES.get(status, "That did not work"), known(request)
    view: dict[str, Any] = {"title": title, "said": said, "lost": said is NO_PAGE}
    return page(request, serving, "refusal.html", who=who, status=status, **view)


def lost(request: Request, serving: Serving) -> Response | None:
    """The page for somebody whose browser asks for one that is not there; None for a program."""
    is_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if not is_page or not serving.options.inbox:
        return None
    return refused(request, serving, 404, NO_PAGE)


def status_of(error: TwelvefoldError) -> int:
    return next(status for kind, status, _, _ in STATUSES if isinstance(error, kind))
