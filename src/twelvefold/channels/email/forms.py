"""The forms in which mail services post a mail."""

from email import message_from_bytes
from typing import Any, cast
from urllib.parse import parse_qsl

from twelvefold.inbound import Inbound

FIELDS_MAX = 200
_MULTIPART = "multipart/form-data"


def form_of(inbound: Inbound) -> dict[str, bytes]:
    """By the names of its fields. Raises `ValueError`."""
    kind = inbound.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() == _MULTIPART:
        return _parts(kind, inbound.body)
    text = inbound.body.decode("ascii")
    pairs = parse_qsl(
        text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="surrogateescape"
    )
    return {name: value.encode(errors="surrogateescape") for name, value in pairs}


def _parts(kind: str, body: bytes) -> dict[str, bytes]:
    head = f"Content-Type: {' '.join(kind.split())}\r\n\r\n".encode("latin-1", "replace")
    parts: Any = message_from_bytes(head + body).get_payload()
    found: dict[str, bytes] = {}
    some = cast("list[Any]", parts[:FIELDS_MAX] if isinstance(parts, list) else [])
    for part in some:
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            found[name] = part.get_payload(decode=True) or b""
    return found
