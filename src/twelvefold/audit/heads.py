"""Exported heads: what is kept outside the database, so that a log cannot be cut or written anew.

A line of JSON per thread between a first line and a last one, which signs all bytes before it with
HMAC-SHA256 and a key that the database does not hold.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from twelvefold.encoding import to_iso, to_text
from twelvefold.exceptions import InvalidFile

SCHEMA = "twelvefold.heads/1"
ALGORITHM = "hmac-sha256"
KEY_BYTES_MIN = 32
_AGAIN = "Take an export as `twelvefold threads heads` wrote it."


@dataclass(frozen=True, slots=True)
class Head:
    """The newest event of a thread, and the chain there."""

    tenant: str
    id: str
    head: int
    chain: bytes


def export(heads: Iterable[Head], *, at: datetime, key: bytes | None = None) -> str:
    """The text of an export. Without a key it is as trusted as the place where it is kept."""
    rows = [
        {"tenant": h.tenant, "thread": h.id, "head": h.head, "chain": h.chain.hex()} for h in heads
    ]
    first = {"schema": SCHEMA, "at": to_iso(at), "threads": len(rows)}
    body = "".join(to_text(line) + "\n" for line in (first, *rows))
    signature = None if key is None else f"{ALGORITHM}:{_signature(body, key)}"
    return body + to_text({"signature": signature}) + "\n"


def read_heads(text: str, *, key: bytes | None = None) -> dict[tuple[str, str], Head]:
    """The heads by (tenant, id). With a key the signature is checked. Raises `InvalidFile`."""
    body, _, last = text.removesuffix("\n").rpartition("\n")
    body += "\n"
    lines = [_line(number, line) for number, line in enumerate(body.split("\n")[:-1], start=1)]
    end = _line(len(lines) + 1, last)
    if key is not None:
        _check(body, end.get("signature"), key)
    if not lines or lines[0].get("schema") != SCHEMA or "signature" not in end:
        raise InvalidFile(f"this is no whole export of heads ({SCHEMA}). {_AGAIN}")
    if lines[0].get("threads") != len(lines) - 1:
        raise InvalidFile(f"this export of heads lacks lines. {_AGAIN}")
    heads = [_head(number, line) for number, line in enumerate(lines[1:], start=2)]
    return {(head.tenant, head.id): head for head in heads}


def is_signed(text: str) -> bool:
    """Whether an export says that it is signed."""
    return f'{{"signature":"{ALGORITHM}:' in text[text.removesuffix("\n").rfind("\n") + 1 :]


def _signature(body: str, key: bytes) -> str:
    if len(key) < KEY_BYTES_MIN:
        raise InvalidFile(
            f"the key has {len(key)} bytes, and {KEY_BYTES_MIN} are needed:"
            " openssl rand -hex 32 > heads.key"
        )
    return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()


def _check(body: str, signature: Any, key: bytes) -> None:
    expected = f"{ALGORITHM}:{_signature(body, key)}"
    if not isinstance(signature, str) or not hmac.compare_digest(
        signature.encode(), expected.encode()
    ):
        raise InvalidFile(
            "the signature of these heads does not fit this key: the file was changed, or signed"
            " with another key. Trust nothing in it."
        )


def _line(number: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidFile(f"line {number} is not JSON ({error}). {_AGAIN}") from error
    if not isinstance(row, dict):
        raise InvalidFile(f"line {number} is no head. {_AGAIN}")
    return cast("dict[str, Any]", row)


def _head(number: int, row: Mapping[str, Any]) -> Head:
    try:
        return Head(
            str(row["tenant"]), str(row["thread"]), int(row["head"]), bytes.fromhex(row["chain"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidFile(f"line {number} is no head ({error!r}). {_AGAIN}") from error
