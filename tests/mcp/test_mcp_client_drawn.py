"""Random schemas: a value that fits one becomes a step and is sent as it was; no other one passes
the reference validator by becoming a step."""

from dataclasses import dataclass
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from twelvefold.mcp.client import Allowed
from twelvefold.mcp.client.pins import Pin
from twelvefold.mcp.client.stepping import step_of
from twelvefold.schemas import PLAIN, export
from twelvefold.steps import args_of, read_step
from twelvefold.tools import schema_of

NAMES = ["a", "b-c", "class", "intent", "left_out", "schema", "_x", "é", "model_y"]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.sampled_from("ab xyz"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=4,
)


@dataclass(frozen=True)
class Drawn:
    """A schema, and values that fit it."""

    schema: dict[str, Any]
    values: st.SearchStrategy[Any]


SIMPLE = [
    Drawn({"type": "string", "maxLength": 3}, st.text("abc", max_size=3)),
    Drawn({"type": "string", "pattern": "^a+$", "minLength": 1}, st.just("aa")),
    Drawn({"type": "integer", "minimum": 0, "exclusiveMaximum": 9}, st.integers(0, 8)),
    Drawn({"type": "number", "multipleOf": 0.5}, st.sampled_from([0, 0.5, -2])),
    Drawn({"type": "boolean"}, st.booleans()),
    Drawn({"type": "null"}, st.none()),
    Drawn({"enum": ["x", 1, None]}, st.sampled_from(["x", 1, None])),
    Drawn({"const": {"k": [1]}}, st.just({"k": [1]})),
    Drawn({"type": ["string", "null"]}, st.none() | st.text("abc", max_size=3)),
    Drawn({"type": "string", "nullable": True}, st.text("abc", max_size=3)),
    Drawn({}, ANY),
]


def lists(inner: Drawn) -> Drawn:
    schema = {"type": "array", "items": inner.schema, "maxItems": 2}
    return Drawn(schema, st.lists(inner.values, max_size=2))


def maps(inner: Drawn) -> Drawn:
    schema = {"type": "object", "additionalProperties": inner.schema}
    return Drawn(schema, st.dictionaries(st.sampled_from(NAMES), inner.values, max_size=2))


def objects(fields: dict[str, tuple[Drawn, bool]]) -> Drawn:
    required = [name for name, (_, needed) in fields.items() if needed]
    schema = {
        "type": "object",
        "properties": {name: one.schema for name, (one, _) in fields.items()},
        "required": required,
        "additionalProperties": False,
    }
    needed = {name: fields[name][0].values for name in required}
    rest = {name: one.values for name, (one, must) in fields.items() if not must}
    return Drawn(schema, st.fixed_dictionaries(needed, optional=rest))


def either(one: Drawn, other: Drawn) -> Drawn:
    return Drawn({"anyOf": [one.schema, other.schema]}, one.values | other.values)


def fields(inner: st.SearchStrategy[Drawn]) -> st.SearchStrategy[Drawn]:
    named = st.dictionaries(st.sampled_from(NAMES), st.tuples(inner, st.booleans()), max_size=3)
    return named.map(objects)


DRAWN = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: (
        inner.map(lists) | inner.map(maps) | fields(inner) | st.builds(either, inner, inner)
    ),
    max_leaves=5,
)


def without_nulls(value: Any) -> Any:
    """None and nothing are one for a field that may be left out."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def stored(value: dict[str, Any]) -> dict[str, Any]:
    return {"intent_" if name == "intent" else name: one for name, one in value.items()}


@settings(max_examples=100, deadline=None)
@given(fields(DRAWN), st.data())
def test_a_value_that_fits_is_sent_as_it_was(drawn: Drawn, data: st.DataObject):
    tool = {"name": "do", "inputSchema": drawn.schema}
    kind = step_of("it", Allowed("do"), Pin.of(tool))
    value = data.draw(drawn.values)

    step = kind(**stored(value))

    assert read_step(kind, args_of(step)) == step
    assert without_nulls(step.sent()) == without_nulls(value)
    export(schema_of(kind), PLAIN)


@settings(max_examples=100, deadline=None)
@given(fields(DRAWN), st.dictionaries(st.sampled_from(NAMES), ANY))
def test_no_value_becomes_a_step_that_the_reference_refuses(drawn: Drawn, value: dict[str, Any]):
    kind = step_of("it", Allowed("do"), Pin.of({"name": "do", "inputSchema": drawn.schema}))
    try:
        step = kind(**stored(value))
    except ValidationError:
        return

    assert jsonschema.Draft202012Validator(drawn.schema).is_valid(step.sent())
