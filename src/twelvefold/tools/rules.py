"""What a matching is made of: its result, its complaint, the rules by which a schema is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

from twelvefold.schemas.nodes import Node
from twelvefold.thread import Json
from twelvefold.tools.values import Bare, Unclosed

SHOWN_MAX = 60


class Fit(NamedTuple):
    """A value as the schema wants it, and what was repaired on the way."""

    value: Json
    notes: tuple[str, ...] = ()


class Mismatch(Exception):
    """The value is not of this schema. `reason` is the refusal's."""

    def __init__(self, at: str, what: str, reason: str = "invalid") -> None:
        super().__init__(f"{at}: {what}" if at else what)
        self.reason = reason


@dataclass(frozen=True)
class Rules:
    """How to read a schema. `resolved` follows references; `open` says whether an object whose
    schema is silent about it may have fields that nobody named; `exact` allows no repair but a null
    for a default."""

    resolved: Callable[[Node], Node]
    defs: Node
    open: bool
    exact: bool = False


def takes_more(schema: Node, rules: Rules) -> bool:
    """Whether an object may have more fields than those that are named."""
    extra = schema.get("additionalProperties", rules.open)
    return extra is not False or bool(schema.get("patternProperties"))


def plain(value: Json) -> Json:
    """The same JSON without the marks of a loose reading. Raises `Mismatch` when it is unclosed."""
    if isinstance(value, Unclosed):
        raise Mismatch("", "the closing brace and maybe more is missing", "truncated")
    if isinstance(value, dict):
        return {key: plain(one) for key, one in cast("dict[str, Json]", value).items()}
    if isinstance(value, list):
        return [plain(one) for one in cast(list[Json], value)]
    return str(value) if isinstance(value, Bare) else value


def shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
