"""Numbers, booleans and texts: what counts as which. No type is guessed, and no digit is lost."""

import math
import re
from collections.abc import Callable

from twelvefold.thread import Json
from twelvefold.tools.values import Bare

AS_NUMBER = "number written as a text"
AS_BOOLEAN = "boolean written as a text"
DIGITS_MAX = 4000
EXACT_MAX = 2**53
"""Up to here a float says exactly which whole number it is."""

_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d*+)")
_DECIMAL = re.compile(r"[+-]?(?:(?:0|[1-9]\d*+)(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,4}+)?")
_TYPE = r"(?:string|str|text|int|integer|float|number|bool|boolean|object|array|list|map|any|null)"
_TYPES = re.compile(
    rf"{_TYPE}(?:\[\])?\??(?:\s*+(?:\||or)\s*+{_TYPE}(?:\[\])?\??)*+", re.IGNORECASE
)

Scalar = Callable[[Json, bool], "tuple[Json, str] | None"]


def text(value: Json, exact: bool) -> tuple[Json, str] | None:
    """A text; not the name of a type without quotes, which is an echo of the schema."""
    if not isinstance(value, str) or (isinstance(value, Bare) and _TYPES.fullmatch(value)):
        return None
    return str(value), ""


def whole(value: Json, exact: bool) -> tuple[Json, str] | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value, ""
    if isinstance(value, float):
        return (int(value), "") if abs(value) <= EXACT_MAX and value.is_integer() else None
    is_text = isinstance(value, str) and not exact and len(value) <= DIGITS_MAX
    return (int(value), AS_NUMBER) if is_text and _WHOLE.fullmatch(value) else None


def number(value: Json, exact: bool) -> tuple[Json, str] | None:
    if isinstance(value, int | float):
        return None if isinstance(value, bool) else (value, "")
    is_text = isinstance(value, str) and not exact and len(value) <= DIGITS_MAX
    if not is_text or not _DECIMAL.fullmatch(value):
        return None
    if _WHOLE.fullmatch(value):
        return int(value), AS_NUMBER
    made = float(value)
    return (made, AS_NUMBER) if math.isfinite(made) else None


def boolean(value: Json, exact: bool) -> tuple[Json, str] | None:
    if isinstance(value, bool):
        return value, ""
    word = value.strip().lower() if isinstance(value, str) and not exact else ""
    return (word == "true", AS_BOOLEAN) if word in {"true", "false"} else None


def nothing(value: Json, exact: bool) -> tuple[Json, str] | None:
    return (None, "") if value is None else None


KINDS: dict[str, Scalar] = {
    "string": text,
    "integer": whole,
    "number": number,
    "boolean": boolean,
    "null": nothing,
}
