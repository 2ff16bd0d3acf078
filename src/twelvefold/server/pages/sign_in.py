"""The page for somebody whom nobody knows: how to get in, and a place for a key."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from twelvefold.server.pages.layout import page
from twelvefold.server.serving import Serving

AFTER = "/inbox"
_OURS = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def sign_in_page(
    request: Request, serving: Serving, *, said: str = "", status: int = 401, after: str = ""
) -> Response:
    """`after`: the page to go on with. A page that was looked at is gone back to by itself."""
    place = after or _here(request, serving)
    return page(request, serving, "sign_in.html", status=status, said=said, after=safe(place))


def safe(path: str) -> str:
    """A page of ours, and never the start of an address elsewhere."""
    return path if _OURS.fullmatch(path) and not path.startswith("/sign-") else AFTER


def form_of(form: Mapping[str, Any]) -> tuple[str, str]:
    """The key that was typed, and the page to go on with."""
    key, after = form.get("key"), form.get("after")
    return (
        key.strip() if isinstance(key, str) else "",
        safe(after) if isinstance(after, str) else AFTER,
    )


def _here(request: Request, serving: Serving) -> str:
    if request.method != "GET":
        return AFTER
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path.removeprefix(serving.at(request, "")) + query
