"""Values as people read them: whole, one line or several, and never to be mistaken for ours."""

import json
from dataclasses import dataclass

from twelvefold.notices import quoted_where_needed
from twelvefold.thread import Json, to_text

LINE_CHARS_MAX = 60
"""Up to here a list or a map stands in one line."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value under its name. `lines` are raw: templates make them safe. `is_text`: a text of
    several lines, which gets a gutter that no text can write."""

    name: str
    lines: tuple[str, ...]
    is_text: bool = False


def shown(name: str, value: Json) -> Shown:
    """All of it; nothing is cut."""
    if isinstance(value, str) and "\n" in value:
        return Shown(name, tuple(value.split("\n")), is_text=True)
    if isinstance(value, str):
        return Shown(name, (quoted_where_needed(value),))
    flat = to_text(value)
    if len(flat) <= LINE_CHARS_MAX:
        return Shown(name, (flat,))
    return Shown(name, tuple(json.dumps(value, indent=2, ensure_ascii=False).split("\n")))


def brief(value: Json, chars_max: int) -> str:
    """The beginning of it in one line; an ellipsis says that there is more."""
    text = " ".join(value.split()) if isinstance(value, str) else to_text(value)
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"


def brief_args(args: dict[str, Json], chars_max: int) -> str:
    """`tag: v1, euros: 90.5`, for a list."""
    told = ", ".join(f"{name}: {brief(value, chars_max)}" for name, value in args.items())
    return brief(told, chars_max)
