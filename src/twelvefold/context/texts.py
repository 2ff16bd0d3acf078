"""All texts of a JSON value through one function."""

from collections.abc import Callable
from typing import cast

from twelvefold.thread import Json

Redact = Callable[[str], str]
"""A text without what should not be in it. `context.redaction.redact` is a ready one."""


def redacted_json(value: Json, redact: Redact) -> Json:
    """The same JSON, each of its texts redacted; the names of fields stay."""
    match value:
        case str():
            return redact(value)
        case dict():
            items = cast("dict[str, Json]", value).items()
            return {name: redacted_json(item, redact) for name, item in items}
        case list():
            return [redacted_json(item, redact) for item in cast("list[Json]", value)]
        case _:
            return value
