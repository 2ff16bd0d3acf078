"""Strict JSON read exactly, and the marks that a loose reading leaves on its values.

A number stays exact or is refused, a key that stands twice with different values is refused.
"""

import json
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import cast

from twelvefold.encoding import DEPTH_MAX
from twelvefold.thread import Json

FLOAT_DIGITS = 15
"""So many digits every float keeps."""


class Bare(str):
    """A text that stood without quotes."""

    __slots__ = ()


class Unclosed(dict[str, Json]):
    """An object whose closing brace is missing: whole only if no field can be missing."""


class Unclear(Exception):
    """A text is no value that somebody clearly wrote. `reason` and `detail` are the refusal's; `at`
    is where the reading ended."""

    def __init__(self, reason: str, detail: str, at: int = 0) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.at = at


def strict(text: str) -> Json:
    """The value of JSON text. Raises `ValueError`, `RecursionError`, and `Unclear` for what is JSON
    and yet says two things, no number, or is nested deeper than `DEPTH_MAX`."""
    return shallow(_decode(text), text)


def strict_with_controls(text: str) -> Json:
    """As `strict`; also with raw line breaks and tabs inside of texts."""
    return shallow(_decode_controls(text), text)


def decoded(text: str, start: int) -> tuple[Json, int]:
    """The JSON value that begins at `start`, and where it ends. Raises what `strict` raises."""
    value, end = _decoder_of_parts.raw_decode(text, start)
    return shallow(value, text[start:end]), end


def shallow(value: Json, text: str) -> Json:
    if text.count("[") + text.count("{") > DEPTH_MAX and _depth(value) > DEPTH_MAX:
        raise too_deep(0)
    return value


def too_deep(at: int) -> Unclear:
    return Unclear("too_deep", f"The reply is nested more than {DEPTH_MAX} levels deep.", at)


def same(one: Json, other: Json) -> bool:
    """JSON's equality, level by level without recursion: 1 is 1.0, and true is not 1."""
    pairs: list[tuple[Json, Json]] = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            ours, theirs = cast("tuple[dict[str, Json], dict[str, Json]]", (left, right))
            if ours.keys() != theirs.keys():
                return False
            pairs += [(ours[key], theirs[key]) for key in ours]
        elif isinstance(left, list) and isinstance(right, list):
            many, others = cast("tuple[list[Json], list[Json]]", (left, right))
            if len(many) != len(others):
                return False
            pairs += zip(many, others, strict=True)
        elif isinstance(left, bool) is not isinstance(right, bool) or left != right:
            return False
    return True


def finite(text: str, at: int = 0) -> float:
    """Raises `Unclear` for a number that is too large for a float, or has digits that it loses: a
    price or a balance would be another one."""
    number = float(text)
    if math.isinf(number):
        raise Unclear("not_json", f"{text[:40]} is larger than any number here.", at)
    if (len(text) > FLOAT_DIGITS or not number) and Decimal(text) != Decimal(repr(number)):
        raise Unclear("not_json", f"{text[:40]} has too many digits: write it as a text.", at)
    return number


def _depth(value: Json) -> int:
    levels = 0
    level: list[Json] = [value]
    while True:
        nested: list[Json] = [one for one in level if isinstance(one, dict | list)]
        if not nested:
            return levels
        levels += 1
        level = [item for one in nested for item in _items(one)]


def _items(nested: Json) -> Iterable[Json]:
    return cast("dict[str, Json]", nested).values() if isinstance(nested, dict) else nested


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) < len(pairs):
        for key, value in pairs:
            if not same(made[key], value):
                raise said_twice(key)
    return made


def said_twice(key: str, at: int = 0) -> Unclear:
    return Unclear("ambiguous", f"The key {key[:80]!r} stands twice with different values.", at)


def _refuse_constant(name: str) -> Json:
    raise Unclear("not_json", f"{name} is not JSON.")


def _decoder(*, controls: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_float=finite,
        parse_constant=_refuse_constant,
        strict=not controls,
    )


_decoder_of_parts = _decoder(controls=False)
_decode = _decoder_of_parts.decode
_decode_controls = _decoder(controls=True).decode
