"""The neutral JSON Schema of an offer to the text that one provider accepts.

Nothing is weakened silently: a bound that the provider does not know is listed in `dropped`, for
the parser checks it anyway; a shape that it does not know is refused. No word is added.
"""

import json
from dataclasses import dataclass
from functools import lru_cache

from twelvefold.schemas.counting import measured, refuse_excess
from twelvefold.schemas.nodes import Node, definitions
from twelvefold.schemas.plain import plain
from twelvefold.schemas.profiles import Profile
from twelvefold.schemas.strict import Dropped, Strict
from twelvefold.thread import Json, to_text

NEXT_STEP = "next_step"
EXPORTS_MAX = 256
_NO_OBJECT = frozenset({"anyOf", "oneOf", "allOf", "not", "enum", "$ref"})

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
    made = _strict(root, profile) if profile.strict else _plain(root)
    refuse_excess(made.schema, profile)
    return made


def _strict(root: Node, profile: Profile) -> Exported:
    made = _written(root, Strict(definitions(root), profile))
    unions = measured(made.schema).unions
    if profile.unions_max is None or unions <= profile.unions_max:
        return made
    # Null makes a union of a property with a default; where these are too many, it is left out.
    return _written(root, Strict(definitions(root), profile, absent=True))


def _written(root: Node, writer: Strict) -> Exported:
    body = writer.root(root)
    return _whole(body, writer.definitions(), tuple(writer.dropped))


def _plain(root: Node) -> Exported:
    return _whole(plain(root), {name: plain(one) for name, one in definitions(root).items()}, ())


def _whole(body: Node, defs: Node, dropped: tuple[Dropped, ...]) -> Exported:
    is_object = body.get("type") == "object" and not _NO_OBJECT & body.keys()
    wrapper = {
        "type": "object",
        "properties": {NEXT_STEP: body},
        "required": [NEXT_STEP],
        "additionalProperties": False,
    }
    whole = {**(body if is_object else wrapper), **({"$defs": defs} if defs else {})}
    return Exported(to_text(whole), None if is_object else NEXT_STEP, dropped)
