"""What a server says of a tool today against what was accepted.

There are two ways to say it. `lines` holds every word, for a person at a terminal. `short` goes
into an error that a model reads, so it holds none of the server's words: what changes after it was
accepted might be there to persuade.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from twelvefold.mcp.client.pins import PINNED, Pin
from twelvefold.thread import Json, to_text

LINES_MAX = 40
VALUE_CHARS_MAX = 2_000
PLACES_MAX = 3
_PLAIN = re.compile(r"[A-Za-z0-9_$.\[\]-]{1,80}")

Kind = Literal["new", "changed", "gone", "as accepted"]


@dataclass(frozen=True, slots=True)
class Change:
    """One tool of the list: how it stands. `lines` says what differs, in full; `offered` is what
    `accept` would pin."""

    tool: str
    kind: Kind
    lines: tuple[str, ...] = ()
    offered: Pin | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.tool}: {self.kind}"


def change_of(tool: str, accepted: Pin | None, offered: Pin | None) -> Change:
    if offered is None:
        return Change(tool, "gone")
    if accepted is None:
        words = tuple(f"{key}: {_text(value)}" for key, value in offered.said.items())
        return Change(tool, "new", words, offered)
    if accepted.sha256 == offered.sha256:
        return Change(tool, "as accepted", (), offered)
    found = [f"{place}: {what}" for place, what in _differences(accepted, offered)]
    more = [f"... and {len(found) - LINES_MAX} more"] if len(found) > LINES_MAX else []
    return Change(tool, "changed", (*found[:LINES_MAX], *more), offered)


def short(accepted: Pin, offered: Pin) -> str:
    """`inputSchema.properties.bcc, description`: where they differ, in names that cannot talk."""
    places = list(dict.fromkeys(_safe(place) for place, _ in _differences(accepted, offered)))
    more = f" and {len(places) - PLACES_MAX} more" if len(places) > PLACES_MAX else ""
    return ", ".join(places[:PLACES_MAX]) + more


def _safe(place: str) -> str:
    return place if _PLAIN.fullmatch(place) else place.partition(".")[0]


def _differences(old: Pin, new: Pin) -> Iterator[tuple[str, str]]:
    for key in PINNED:
        yield from _compared(old.said.get(key, _GONE), new.said.get(key, _GONE), key)


_GONE: Any = object()


def _compared(old: Any, new: Any, place: str) -> Iterator[tuple[str, str]]:
    if old is _GONE or new is _GONE:
        if old is not new:
            yield place, f"new: {_text(new)}" if old is _GONE else f"gone: {_text(old)}"
    elif isinstance(old, dict) and isinstance(new, dict):
        left, right = cast(Mapping[str, Json], old), cast(Mapping[str, Json], new)
        for key in {**left, **right}:
            yield from _compared(left.get(key, _GONE), right.get(key, _GONE), f"{place}.{key}")
    elif to_text(old) != to_text(new):
        yield place, f"was {_text(old)}, is {_text(new)}"


def _text(value: Json) -> str:
    text = to_text(value)
    over = len(text) - VALUE_CHARS_MAX
    return text if over <= 0 else f"{text[:VALUE_CHARS_MAX]}... ({over} more characters)"
