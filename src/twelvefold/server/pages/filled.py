"""What a person typed into the fields of a form, as values, and what is wrong with it by field.

A field that was left as it was means exactly the old value: no number is rounded, and no line end
becomes another one, by being shown.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from starlette.datastructures import FormData

from twelvefold.server.pages.fields import Field
from twelvefold.thread import Json

PREFIX = "arg."
"""Before the name of each field, so that none can be one of ours."""
NONE = "none."
"""Before the name of the box that says that there is no value."""

_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(slots=True)
class Filled:
    """`values` by name, of those fields that now mean something else than before."""

    values: dict[str, Json] = field(default_factory=dict[str, Json])
    errors: dict[str, str] = field(default_factory=dict[str, str])


def read(fields: Sequence[Field], data: FormData, *, whole: bool = False) -> Filled:
    """With `whole`, also those fields that mean what they meant: a new value has all of its."""
    filled = Filled()
    for one in fields:
        _read(one, data, filled, filled.values, whole=whole)
    return filled


def text_of(data: FormData, name: str) -> str:
    """One field, with the line ends that a person meant."""
    given = data.get(name)
    return given.replace("\r\n", "\n") if isinstance(given, str) else ""


def typed_fields(data: FormData) -> dict[str, str]:
    """What stood in the fields, by path, to be shown again; of several choices one in each line,
    and under `none.<path>` that the box for no value was ticked."""
    typed: dict[str, str] = {}
    for name in data:
        if name.startswith(PREFIX):
            texts = [one for one in data.getlist(name) if isinstance(one, str)]
            typed[name.removeprefix(PREFIX)] = "\n".join(texts).replace("\r\n", "\n")
        elif name.startswith(NONE):
            typed[name] = "1"
    return typed


class _Wrong(Exception):
    """What is wrong with what was typed."""


def _read(
    one: Field, data: FormData, filled: Filled, into: dict[str, Json], *, whole: bool
) -> None:
    if one.kind == "group":
        return _read_group(one, data, filled, into, whole=whole)
    if one.kind == "fixed":
        value: Json = one.old
    else:
        try:
            value = _value(one, data)
        except _Wrong as wrong:
            filled.errors[one.path] = str(wrong)
            return
    differs = value is not one.old and (value != one.old or type(value) is not type(one.old))
    if differs or (whole and (one.given or one.required or value is not None)):
        into[one.label] = value


def _read_group(
    one: Field, data: FormData, filled: Filled, into: dict[str, Json], *, whole: bool
) -> None:
    """A group is a value of its own: all of it changes when a part does. One that is not there
    begins with what is typed into it."""
    inner: dict[str, Json] = {}
    for part in one.fields:
        _read(part, data, filled, inner, whole=whole)
    if inner and one.old is None:
        for part in one.fields:
            _read(part, data, filled, inner, whole=True)
    if inner or (whole and one.required):
        into[one.label] = {**cast("dict[str, Json]", one.old or {}), **inner}


def _value(one: Field, data: FormData) -> Json:
    """Raises `_Wrong`."""
    name = PREFIX + one.path
    if one.kind == "choices":
        chosen = [text for text in data.getlist(name) if isinstance(text, str)]
        return _of_choices(one, chosen) if NONE + one.path not in data else None
    raw, was = text_of(data, name), one.raw.replace("\r\n", "\n")
    is_left = name not in data or raw == was
    if one.nullable and NONE + one.path in data:
        if not is_left and not one.is_none:
            raise _Wrong("either a value, or none")
        if is_left:
            return None
    elif is_left and not (one.nullable and one.is_none):
        return one.old
    return _READ[one.kind](raw, one)


def _of_choices(one: Field, chosen: Sequence[str]) -> Json:
    known = {text for text, _ in one.choices}
    if any(text not in known for text in chosen):
        raise _Wrong("none of the choices")
    if set(chosen) == set(one.chosen):
        return one.old
    return [json.loads(text) for text in chosen]


def _text(raw: str, _: Field) -> Json:
    return raw


def _lines(raw: str, _: Field) -> Json:
    return [line for line in raw.split("\n") if line.strip()]


def _integer(raw: str, one: Field) -> Json:
    if not raw.strip():
        return _nothing(one)
    if not _WHOLE.fullmatch(raw.strip()):
        raise _Wrong("is no whole number, such as 12")
    return _int(raw)


def _number(raw: str, one: Field) -> Json:
    if not raw.strip():
        return _nothing(one)
    if not _NUMBER.fullmatch(raw.strip()):
        raise _Wrong("is no number, such as 12 or 1.5")
    value = _int(raw) if _WHOLE.fullmatch(raw.strip()) else float(raw)
    if not math.isfinite(value):
        raise _Wrong("is too large")
    return value


def _int(raw: str) -> int:
    try:
        return int(raw)
    except ValueError:
        raise _Wrong("is too large") from None


def _choice(raw: str, one: Field) -> Json:
    if raw not in {text for text, _ in one.choices}:
        raise _Wrong("is none of the choices" if raw else "choose one")
    return json.loads(raw)


def _json(raw: str, one: Field) -> Json:
    if not raw.strip() and not one.given:
        return None
    try:
        return json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"is not JSON: {error}") from None


def _no_number(text: str) -> Json:
    raise ValueError(f"{text} is no number of JSON")


def _nothing(one: Field) -> Json:
    if one.required or one.given:
        raise _Wrong("is empty")
    return one.old


_READ: Mapping[str, Callable[[str, Field], Json]] = {
    "text": _text,
    "area": _text,
    "lines": _lines,
    "integer": _integer,
    "number": _number,
    "choice": _choice,
    "json": _json,
}
