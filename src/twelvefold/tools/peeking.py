"""What a stream holds so far. For display only: never act on it, it may yet become anything."""

import re
from typing import cast

from pydantic_core import from_json

from twelvefold.schemas import NEXT_STEP
from twelvefold.thread import Json
from twelvefold.tools.unwrapping import is_wrapped

_THOUGHT = re.compile(r"\s*+<(think(?:ing)?|reasoning|thought)\b[^>]*+>", re.IGNORECASE)
_START = re.compile(r"[{\[]")


def peek(text: str) -> Json | None:
    """The partial value of a reply that is still coming, without the `next_step` around it; None
    while there is none to show.

    Fields and items that are not whole are there as far as they came. What `parse` says of the
    whole reply may differ, and alone counts.
    """
    if thought := _THOUGHT.match(text):
        end = text.lower().find(f"</{thought[1].lower()}", thought.end())
        if end < 0:
            return None
        text = text[end:]
    start = _START.search(text)
    if not start:
        return None
    value = _partial(text[start.start() :])
    return cast("dict[str, Json]", value)[NEXT_STEP] if is_wrapped(value) else value


def _partial(text: str) -> Json | None:
    try:
        return from_json(text, allow_partial="trailing-strings", allow_inf_nan=False)
    except ValueError:
        pass
    last = max(text.rfind("}"), text.rfind("]"))  # words after a whole value
    try:
        return from_json(text[: last + 1], allow_inf_nan=False) if last >= 0 else None
    except ValueError:
        return None
