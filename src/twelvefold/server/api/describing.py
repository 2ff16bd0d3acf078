"""What OpenAPI says of answers: each status, its headers and where one can go from there."""

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from twelvefold.server.problems import MEDIA_TYPE
from twelvefold.thread import Json


class TwelvefoldProblem(TypedDict):
    """RFC 9457. `errors` says what is wrong by field; `decided` how a contact ended."""

    type: str
    title: str
    status: int
    detail: str
    retryable: bool
    errors: NotRequired[dict[str, str]]
    decided: NotRequired[dict[str, str | None]]


PROBLEMS = {
    400: "The body is not JSON.",
    401: "Nobody who is known here.",
    403: "Known, but without the scope, or not one of those who are asked.",
    404: "Nothing here has this name, for this tenant.",
    409: "It would change nothing any more; or the same request is still being worked on.",
    410: "The time to answer is over.",
    412: "`If-Match` names something else than what is there by now.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    422: "Not of the described shape, by field; or an `Idempotency-Key` used for another body.",
    429: "Too many requests; `Retry-After` says when.",
    500: "An error in the application or here; nothing is known of what was done.",
    503: "The store does not answer. The same request may succeed a little later.",
    507: "The disk or the database is full.",
}
ALWAYS = (401, 403, 422, 429, 500, 503)
WITH_BODY = (400, 409, 413, 415, 507)

_ETAG = {"schema": {"type": "string"}, "description": "For `If-Match`."}
_LOCATION = {"schema": {"type": "string"}, "description": "Where it is."}
_REPLAYED = {
    "schema": {"type": "string", "enum": ["true"]},
    "description": "Present where this is the stored answer to an earlier request with this key.",
}

Links = Mapping[str, Mapping[str, Json]]
"""What can be asked next, with what was just answered."""


def linked(
    parameter: str, expression: str, *operations: str, body: Mapping[str, Json] | None = None
) -> dict[str, dict[str, Json]]:
    """Links to these operations, by the part of this answer that names what they are about."""
    named = {"parameters": {parameter: f"$response.body#/{expression}"}}
    sent = {} if body is None else {"requestBody": body}
    return {name: {"operationId": name, **named, **sent} for name in operations}


def success(
    status: int,
    *,
    method: str,
    etag: bool = False,
    content: dict[str, Any] | None = None,
    links: Links | None = None,
) -> dict[str, Any]:
    headers: dict[str, Any] = {"ETag": _ETAG} if etag else {}
    if status == 201:
        headers["Location"] = _LOCATION
    if method == "POST":
        headers["Idempotency-Replayed"] = _REPLAYED
    more = {"content": content, "links": links}
    return {"headers": headers, **{name: value for name, value in more.items() if value}}


def alike(answered: Mapping[str, Any], when: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The same answer with other statuses, and when each comes."""
    return {status: {**answered, "description": told} for status, told in when.items()}


def refusal(status: int) -> dict[str, Any]:
    """What OpenAPI says of it. `GET /v1/problems` brings the schema into the document."""
    shape = {"$ref": "#/components/schemas/TwelvefoldProblem"}
    return {"description": PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": shape}}}
