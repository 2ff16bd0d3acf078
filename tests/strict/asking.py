"""What a request asks for and what is said to it, the same for every vendor; and what is wrong with
a request."""

import json
import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from strict.loopback import Request
from strict.rules import Rules, complaints, loose_complaints

BYTES_PER_TOKEN = 4
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
SURROGATES = re.compile("[\ud800-\udfff]")


class Refused(ValueError):
    """A request that the vendor refuses, with what its error says and where."""

    def __init__(self, message: str, *, param: str = "", code: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status = message, param, code, status


@dataclass(frozen=True, slots=True)
class Asked:
    """`schema` constrains the reply, which is a call of `tool` when there is one. `texts` is all
    that the model reads, in order."""

    model: str
    texts: tuple[str, ...]
    schema: str | None = None
    tool: str | None = None
    stream: bool = False
    tokens_max: int | None = None

    @property
    def tokens(self) -> int:
        return tokens("".join(self.texts) + (self.schema or ""))


@dataclass(frozen=True, slots=True)
class Said:
    """The reply of the model. `read_from_cache` of its input tokens cost less."""

    text: str
    finish: Literal["end", "truncated", "refused", "filtered"] = "end"
    read_from_cache: int = 0
    written_to_cache: int = 0
    thought: int = 0


def tokens(text: str) -> int:
    return len(text.encode()) // BYTES_PER_TOKEN + 1


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Lone surrogates are no text, escaped or not."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refused("The request has no JSON content type.")
    try:
        body = json.loads(request.body.decode())
    except ValueError as error:
        raise Refused(f"The request body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused("The request body is not a JSON object.")
    if SURROGATES.search(json.dumps(body, ensure_ascii=False)):
        raise Refused("The request body is not valid JSON: no low surrogate in string")
    return body


def only(found: dict[str, Any], known: Iterable[str], where: str = "") -> None:
    """Refuse what a vendor does not know."""
    for name in found.keys() - set(known):
        raise Refused(f"{where}{name}: Extra inputs are not permitted", param=f"{where}{name}")


def needed(found: dict[str, Any], name: str, kind: type, where: str = "") -> Any:
    value = found.get(name)
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise Refused(f"{where}{name}: Field required, as {kind.__name__}", param=f"{where}{name}")
    return value


def text_of(value: Any, where: str) -> str:
    """A text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"{where}: text content blocks must be non-empty", param=where)
    return value


def file_of(url: Any, known: re.Pattern[str], where: str) -> str:
    """A file in Base64 after its media type."""
    if not isinstance(url, str) or not (start := known.match(url)):
        raise Refused(f"{where}: not a file that can be read", param=where)
    try:
        b64decode(url[start.end() :], validate=True)
    except ValueError as error:
        raise Refused(f"{where}: invalid base64: {error}", param=where) from error
    return url


def checked(schema: Any, rules: Rules | None, where: str, code: str = "") -> str:
    """The schema as text, in the order in which it came. Without rules it need not be strict."""
    text = json.dumps(schema, ensure_ascii=False)
    if complaint := _complaint(text, rules):
        raise Refused(f"Invalid schema for {where}: {complaint}", param=where, code=code)
    return text


@cache  # as vendors do, who compile a schema once
def _complaint(text: str, rules: Rules | None) -> str | None:
    schema = json.loads(text)
    return next(complaints(schema, rules) if rules else loose_complaints(schema), None)


def named(value: Any, where: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise Refused(f"{where}: must match {NAME.pattern}, not {value!r}", param=where)
    return value
