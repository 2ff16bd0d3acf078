"""Refusals of the server (RFC 9457) as the exceptions that `App` raises for them."""

from collections.abc import Mapping
from typing import Any, cast

from twelvefold.exceptions import (
    AlreadyDecided,
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
    StoreFull,
    StoreUnavailable,
    TooManyRequests,
    TwelvefoldError,
    UnknownAgent,
    Unreachable,
    Unstorable,
    UrlRefused,
)
from twelvefold.thread import Json, from_text

KINDS: dict[str, type[TwelvefoldError]] = {
    "not-signed-in": NotSignedIn,
    "not-permitted": NotPermitted,
    "not-allowed": NotAllowed,
    "not-found": NotFound,
    "unknown-agent": UnknownAgent,
    "moved": Moved,
    "in-flight": InFlight,
    "conflict": Conflict,
    "invalid-edit": InvalidFile,
    "not-storable": Unstorable,
    "store-full": StoreFull,
    "store-unavailable": StoreUnavailable,
    "too-many-requests": TooManyRequests,
    "url-refused": UrlRefused,
}
WITH_ERRORS = {
    "invalid-answer": InvalidAnswer,
    "invalid-request": InvalidRequest,
    "key-reused": KeyReused,
    "malformed": InvalidRequest,
}
DECIDED = {"already-decided": AlreadyDecided, "expired": Expired}

TEXT_CHARS_MAX = 200


def problem_of(content: bytes) -> dict[str, Json]:
    """The problem in a body; empty for anything else, such as a page of a proxy."""
    try:
        found: Json = from_text(content.decode())
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Json]", found) if isinstance(found, dict) else {}


def error_of(
    status: int, content: bytes, *, missing: type[TwelvefoldError] = NotFound
) -> TwelvefoldError:
    """`missing`: what a 404 means here."""
    problem = problem_of(content)
    kind = str(problem.get("type", "")).rpartition("/")[2]
    if not kind or "detail" not in problem:
        text = content[:TEXT_CHARS_MAX].decode(errors="replace")
        return Unreachable(f"It answered {status} without a problem: {text!r}.")
    detail = str(problem["detail"])
    if kind in WITH_ERRORS:
        return WITH_ERRORS[kind](detail, errors=_texts(problem.get("errors")))
    if kind in DECIDED:
        return DECIDED[kind](detail, **_decided(problem.get("decided")))
    found = KINDS.get(kind, TwelvefoldError)
    return (missing if found is NotFound else found)(detail)


def _decided(data: Any) -> dict[str, str]:
    given = _texts(data)
    return {name: given.get(name, "") for name in ("outcome", "by", "at", "channel")}


def _texts(data: Any) -> dict[str, str]:
    if not isinstance(data, Mapping):
        return {}
    found = cast("Mapping[str, Any]", data)
    return {name: str(value) for name, value in found.items() if value is not None}
