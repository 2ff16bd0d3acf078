"""The neutral JSON Schema of an offer to the text that one provider accepts.

Nothing is weakened silently: a bound that the provider does not know is listed in `dropped`, for
the parser checks it anyway; a shape that it does not know is refused. No word is added.
"""

import json
from dataclasses import dataclass
from functools import lru_cache

from twelvefold.schemas.counting import refuse_excess
from twelvefold.schemas.nodes import Node, definitions
from twelvefold.schemas.plain import plain
from twelvefold.schemas.profiles import Profile
from twelvefold.schemas.strict import Dropped, Strict
from twelvefold.thread import Json, to_text

NEXT_STEP = "next_step"
EXPORTS_MAX = 256

__all__ = ["NEXT_STEP", "Dropped", "Exported", "export"]


@dataclass(frozen=True, slots=True)
class Exported:
    """A schema for the wire: the same bytes each time. `wrapped` is the only key of the root object
    when the answer lies below it."""

    text: str
    wrapped: str | None = None
    dropped: tuple[Dropped, ...] = ()

    @property
    def schema(self) -> dict[str, Json]:
        """The text as a new dict."""
        return json.loads(self.text)


@lru_cache(EXPORTS_MAX)
def export(schema_text: str, profile: Profile) -> Exported:
    """What `profile` accepts for the same values. Raises `SchemaRefused` with the field and what to
    change."""
    root: Node = json.loads(schema_text)
    if profile.strict:
        writer = Strict(definitions(root), profile)
        body, defs = writer.root(root), writer.definitions()
        dropped = tuple(writer.dropped)
    else:
        body, defs, dropped = plain(root), plain_definitions(root), ()
    wrapped = None if is_object(body) else NEXT_STEP
    whole = body if wrapped is None else wrapper(body)
    if defs:
        whole = {**whole, "$defs": defs}
    refuse_excess(whole, profile)
    return Exported(to_text(whole), wrapped, dropped)


def is_object(body: Node) -> bool:
    return body.get("type") == "object" and not {"anyOf", "$ref"} & body.keys()


def wrapper(body: Node) -> Node:
    return {
        "type": "object",
        "properties": {NEXT_STEP: body},
        "required": [NEXT_STEP],
        "additionalProperties": False,
    }


def plain_definitions(root: Node) -> Node:
    return {name: plain(schema) for name, schema in definitions(root).items()}
