"""What every answer carries, whatever application its route is in."""

from collections.abc import Mapping

from fastapi import Request, Response

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
