"""One look at one value by a schema: where it is, and what is wrong there.

Work stays in proportion to schema times value: what a reference says of a place is kept.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from twelvefold.schemas.nodes import Definitions, Node, name_of
from twelvefold.thread import Json, to_text

SHOWN_MAX = 80

Complaints = Iterator[str]
Keyword = Callable[["Look", Node, Any, str], Complaints]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one value. A place is a path, as in `steps[2].name`."""

    root: Node
    defs: Definitions
    checks: Mapping[str, Keyword]
    known: dict[tuple[str, str], list[str]] = field(
        default_factory=dict[tuple[str, str], list[str]]
    )

    def check(self, node: Json, value: Json, path: str) -> Complaints:
        if not isinstance(node, dict):
            if node is False:
                yield said(path, "must not be there")
            return
        schema = cast(Node, node)
        for keyword in schema:
            if check := self.checks.get(keyword):
                yield from check(self, schema, value, path)

    def fits(self, node: Json, value: Json, path: str) -> bool:
        return next(self.check(node, value, path), None) is None

    def referred(self, ref: str, value: Json, path: str) -> list[str]:
        """Kept, or variants that share a recursive part would look at it twice at each level."""
        place = (ref, path)
        if place not in self.known:
            name = name_of(ref)
            schema = self.defs[name] if name else self.root
            self.known[place] = list(self.check(schema, value, path))
        return self.known[place]


def said(path: str, what: str) -> str:
    return f"{path}: {what}" if path else what


def shown(value: Json) -> str:
    text = to_text(value)
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "..."


@cache
def pattern_of(text: str) -> re.Pattern[str]:
    return re.compile(text)


def same(one: Json, other: Json) -> bool:
    """JSON's equality: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        pair = cast("tuple[list[Json], list[Json]]", (one, other))
        return len(pair[0]) == len(pair[1]) and all(map(same, *pair))
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("tuple[Node, Node]", (one, other))
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return one == other
