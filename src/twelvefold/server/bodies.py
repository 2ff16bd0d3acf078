"""Whether a request's body may be read: its size, and its type where JSON is awaited."""

from typing import Any

from fastapi import Request
from fastapi.params import Form
from starlette.exceptions import HTTPException
from starlette.types import Message

BODY_BYTES_MAX = 1_000_000


class Refused(HTTPException):
    """A body that is not read, or not to its end. FastAPI lets an `HTTPException` through while it
    reads, and calls all else a 400."""

    def __init__(self, status: int, type: str, why: str) -> None:
        super().__init__(status, why)
        self.type = type


def checked(request: Request, body_field: Any, *, bytes_max: int) -> Request:
    """The request, whose body ends as `Refused` when it is too large, whatever its length said.

    Raises `Refused` at once for what can be told from its headers.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > bytes_max:
        raise _too_large(bytes_max)
    has_body = length not in ("", "0") or "transfer-encoding" in request.headers
    if has_body and _takes_json(body_field) and not _is_json(request):
        given = request.headers.get("content-type") or "none"
        raise Refused(
            415,
            "not-json",
            f"The content type is {given}, and this takes JSON alone. Send the body with"
            " `Content-Type: application/json`. Nothing was done.",
        )
    return Request(request.scope, _counted(request, bytes_max), request._send)  # pyright: ignore[reportPrivateUsage]


def _counted(request: Request, bytes_max: int) -> Any:
    receive, count = request.receive, 0

    async def received() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > bytes_max:
            raise _too_large(bytes_max)
        return message

    return received


def _takes_json(body_field: Any) -> bool:
    return body_field is not None and not isinstance(body_field.field_info, Form)


def _is_json(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media == "application/json" or (
        media.startswith("application/") and media.endswith("+json")
    )


def _too_large(bytes_max: int) -> Refused:
    return Refused(
        413,
        "too-large",
        f"The body is larger than body_bytes_max = {bytes_max} bytes. Send less, or have the limit"
        " raised: `Options(body_bytes_max=...)`. Nothing was done.",
    )
