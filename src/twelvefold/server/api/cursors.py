"""Places in lists, as texts that a client passes on and does not read."""

import base64
import binascii
import json
from typing import cast

from twelvefold.exceptions import InvalidRequest
from twelvefold.thread import Json, to_text

CURSOR_CHARS_MAX = 2_000


def cursor_of(*place: Json) -> str:
    return base64.urlsafe_b64encode(to_text(place).encode()).decode().rstrip("=")


def place_of(cursor: str, *types: type) -> tuple[Json, ...]:
    """What `cursor_of` was given, of these types. Raises `InvalidRequest`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place: Json = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise no_cursor() from None
    if not isinstance(place, list):
        raise no_cursor()
    parts = cast("list[Json]", place)
    if [type(part) for part in parts] != list(types):
        raise no_cursor()
    return tuple(parts)


def no_cursor() -> InvalidRequest:
    return InvalidRequest(
        "The cursor is none of this list. Begin again without one. Nothing was done.",
        errors={"query.cursor": "is no next_cursor of this list"},
    )
