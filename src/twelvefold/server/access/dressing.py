"""What every answer carries, whatever application its route is in."""

from collections.abc import Iterable, Mapping

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twelvefold.server.access.around import set_cookies

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


def dressed(request: Request, response: Response) -> Response:
    """The answer with the headers that it does not set itself, and the cookie of a visit that was
    begun, renewed or ended."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    set_cookies(request, response)
    return response


def dress_plain(routes: Iterable[BaseRoute]) -> None:
    """Dress the plain routes of a framework, such as that of /openapi.json."""
    for route in routes:
        if type(route) is Route:
            route.app = _Dressed(route.app)


class _Dressed:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, dressing)
