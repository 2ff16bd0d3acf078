"""The header `traceparent` of W3C Trace Context: which trace a request belongs to."""

import re
from typing import NamedTuple

TRACEPARENT = "traceparent"

_FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?![^-])"
)
"""What a newer version appends is of no use here."""


class Traceparent(NamedTuple):
    """`text` is what every version reads."""

    text: str
    trace_id: int
    span_id: int
    flags: int


def traceparent_of(given: object) -> Traceparent | None:
    """None for what is none: the standard asks to go on without it."""
    found = _FORM.match(given) if isinstance(given, str) else None
    if found is None:
        return None
    return Traceparent(found[0], *(int(part, 16) for part in found.groups()))
