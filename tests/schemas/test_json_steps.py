"""Steps from a JSON Schema: plain values, checked whole."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from twelvefold.exceptions import InvalidSteps, SchemaRefused
from twelvefold.schemas import OPENAI, JsonSteps, export, output_format
from twelvefold.tools import schema_of, steps_from_json_schema

ADD = {
    "type": "object",
    "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
    "required": ["a", "b"],
}
WEATHER = {
    "name": "get-weather",
    "description": "The weather of a city.",
    "inputSchema": {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/City"}, "days": {"type": "integer", "default": 1}},
        "required": ["city"],
        "$defs": {"City": {"type": "string", "minLength": 1}},
    },
}


def steps_of(schema: Any) -> JsonSteps:
    return steps_from_json_schema(schema)


def test_a_schema_may_be_text_or_a_dict():
    assert steps_of(json.dumps(ADD)) == steps_of(ADD)
    assert hash(steps_of(json.dumps(ADD))) == hash(steps_of(ADD))
    assert steps_of(ADD).schema == ADD
    assert repr(steps_of({"ping": {}, "pong": {}})) == "JsonSteps(ping, pong)"


def test_a_right_value_brings_no_complaint():
    assert steps_of(ADD).check({"a": 1, "b": 2.5}) == []


def test_complaints_name_the_place():
    assert steps_of(ADD).check({"a": "x"}) == ['a: must be number, not "x"', "b: is missing"]
    assert steps_of({"items": ADD}).check([{"a": 1, "b": True}]) == [
        "[0].b: must be number, not true"
    ]


def test_complaints_have_a_limit():
    assert len(steps_of({"items": {"type": "string"}}).check([1] * 1_000)) == 10


def test_a_long_value_is_not_repeated_whole():
    [said] = steps_of({"type": "integer"}).check("x" * 10_000)

    assert len(said) < 150


# Tools of an MCP server


@pytest.mark.parametrize(
    "given", [[WEATHER, {"name": "add", "inputSchema": ADD}], {"add": ADD, "none": {}}]
)
def test_tools_become_variants_of_a_tagged_union(given: Any):
    steps = steps_of(given)

    assert steps.tag == "intent"
    assert "add" in steps.variants
    assert steps.check({"intent": "add", "a": 1, "b": 2}) == []
    assert steps.check({"intent": "add", "a": 1}) == ["b: is missing"]
    assert steps.check({"a": 1, "b": 2}) == ["intent: is missing"]


def test_a_tool_keeps_its_own_definitions_and_words():
    other = {"name": "other", "inputSchema": {**WEATHER["inputSchema"], "$defs": {"City": {}}}}
    steps = steps_of([WEATHER, other])

    assert steps.check({"intent": "get-weather", "city": ""}) == [
        "city: must have at least 1 characters"
    ]
    assert steps.check({"intent": "other", "city": 3}) == []
    assert steps.variants["get-weather"]["description"] == "The weather of a city."


def test_a_tool_without_arguments_is_a_bare_intent():
    steps = steps_of({"ping": {"type": "object"}, "pong": {}})

    assert steps.check({"intent": "ping"}) == []


def test_tools_are_offers_like_any_other():
    steps = steps_of([WEATHER, {"name": "add", "inputSchema": ADD}])
    made = export(schema_of(steps), OPENAI)

    assert made.wrapped == "next_step"
    assert [one["properties"]["intent"]["enum"] for one in objects(made.schema)] == [
        ["get-weather"],
        ["add"],
    ]
    assert output_format(steps) == (
        "{\n"
        "  // The weather of a city.\n"
        '  intent: "get-weather",\n'
        "  city: string(1.. characters),\n"
        "  days?: int = 1,\n"
        "} |\n"
        '{intent: "add", a: float, b: float}'
    )


def objects(schema: Any) -> list[Any]:
    return [one for one in schema["$defs"].values() if "properties" in one]


def test_a_tool_with_an_argument_intent_is_refused():
    with pytest.raises(InvalidSteps, match="`intent`"):
        steps_of({"ask": {"type": "object", "properties": {"intent": {"type": "string"}}}})


def test_tools_that_would_share_a_name_are_refused():
    with pytest.raises(InvalidSteps, match="'a_b'"):
        steps_of([{"name": "a-b"}, {"name": "a_b"}])


@pytest.mark.parametrize("given", [["add"], [{"inputSchema": ADD}], [3]])
def test_a_tool_needs_a_name(given: Any):
    with pytest.raises(InvalidSteps, match="needs a name"):
        steps_of(given)


@pytest.mark.parametrize("given", ["true", "3", True])
def test_a_schema_is_an_object(given: Any):
    with pytest.raises(SchemaRefused, match="must be an object"):
        steps_of(given)


# Tags


def test_the_tag_of_a_union_is_found():
    kinds = [
        {"type": "object", "properties": {"kind": {"const": name}, "x": {"const": 1}}}
        for name in ("cat", "dog")
    ]

    assert steps_of({"oneOf": kinds}).tag == "kind"
    assert set(steps_of({"anyOf": kinds}).variants) == {"cat", "dog"}
    assert steps_of({"anyOf": [kinds[0], {"type": "string"}]}).tag is None
    assert steps_of(ADD).tag is None
    assert steps_of({"type": "string"}).variants == {}


# What cannot be checked


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"x-ours": 1, "unevaluatedProperties": False}, "unevaluatedProperties"),
        ({"properties": {"x": {"$dynamicRef": "#a"}}}, "/properties.x: $dynamicRef"),
        ({"$ref": "https://example.com/s"}, "cannot follow"),
        ({"$ref": "#/$defs/X"}, "cannot follow"),
        ({"pattern": "("}, "is no pattern"),
        ({"items": [{"type": "string"}]}, "root: items is not as in JSON Schema 2020-12"),
        ({"minimum": 1, "exclusiveMinimum": True}, "exclusiveMinimum is not as in"),
        ({"properties": {"a": {"required": True}}}, "/properties.a: required is not as in"),
        ({"$ref": "#"}, "refers to itself"),
        (
            {"$defs": {"A": {"anyOf": [{"$ref": "#/$defs/B"}]}, "B": {"$ref": "#/$defs/A"}}},
            "A: refers to itself",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused_at_once(schema: Any, says: str):
    with pytest.raises(SchemaRefused) as refused:
        steps_of({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("date-time", "2026-11-20T09:55:33Z", "2026-11-20"),
        ("date", "2026-11-20", "20261120"),
        ("time", "09:55:33+01:00", "25:00:00"),
        ("duration", "P1DT2H", "P"),
        ("email", "anna@example.com", "anna"),
        ("ipv4", "127.0.0.1", "127.0.0.300"),
        ("ipv6", "::1", "1"),
        ("uuid", "12345678-1234-5678-1234-567812345678", "12345678"),
    ],
)
def test_formats_are_checked(name: str, right: str, wrong: str):
    steps = steps_of({"type": "string", "format": name})

    assert steps.check(right) == []
    assert len(steps.check(wrong)) == 1


def test_recursion_and_deep_values_end():
    tree = {"$ref": "#/$defs/T", "$defs": {"T": {"type": "array", "items": {"$ref": "#/$defs/T"}}}}
    value: Any = []
    for _ in range(100_000):
        value = [value]

    assert steps_of(tree).check([[], [[]]]) == []
    assert steps_of(tree).check([[], [1]]) == ["[1][0]: must be array, not 1"]
    assert steps_of(tree).check(value) == ["the value is nested more than 100 levels deep"]
    assert steps_of({"items": {"$ref": "#"}, "type": "array"}).check([[1]]) == [
        "[0][0]: must be array, not 1"
    ]


def test_a_value_as_deep_as_allowed_is_checked():
    node = {"type": "object", "properties": {"n": {"anyOf": [{"$ref": "#/$defs/N"}, {}]}}}
    value: Any = {}
    for _ in range(99):
        value = {"n": value}

    assert steps_of({"$ref": "#/$defs/N", "$defs": {"N": node}}).check(value) == []


def test_variants_that_share_a_tail_cost_no_more_than_their_sum():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}
    both = {"anyOf": [{**node, "required": ["x"]}, {**node, "required": ["y"]}]}
    value: Any = {"x": 1}
    for _ in range(60):  # 2 ** 60 looks, if each variant looked anew
        value = {"x": 1, "next": value}

    assert steps_of({"$ref": "#/$defs/N", "$defs": {"N": both}}).check(value) == []


# A second opinion

NAMES = st.sampled_from(["a", "b"])
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 0.1, 0.3, -1.5])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "ab", "é"])
VALUES = st.recursive(
    SCALARS,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(NAMES, one, max_size=2),
    max_leaves=5,
)
SIZES = st.integers(0, 3)
TYPES = st.sampled_from("object array string integer number boolean null".split())


SCALAR_WORDS = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "minimum": NUMBERS,
    "maximum": NUMBERS,
    "exclusiveMinimum": NUMBERS,
    "exclusiveMaximum": NUMBERS,
    "multipleOf": st.sampled_from([1, 2, 0.1, 0.5]),
    "minLength": SIZES,
    "maxLength": SIZES,
    "minItems": SIZES,
    "maxItems": SIZES,
    "minProperties": SIZES,
    "maxProperties": SIZES,
    "pattern": st.sampled_from(["^a", "b$", "."]),
    "minContains": SIZES,
    "maxContains": SIZES,
    "uniqueItems": st.booleans(),
    "required": st.lists(NAMES, unique=True),
    "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, unique=True), max_size=2),
}
INNER_WORDS = "not if then else items contains additionalProperties propertyNames".split()


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    many = st.lists(inner, min_size=1, max_size=3)
    words = {
        **SCALAR_WORDS,
        **dict.fromkeys(INNER_WORDS, inner),
        **dict.fromkeys(["anyOf", "oneOf", "allOf", "prefixItems"], many),
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "."]), inner, max_size=2),
    }
    return st.lists(st.sampled_from(sorted(words)), max_size=4, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({word: words[word] for word in chosen})
    )


SCHEMAS = st.recursive(st.booleans() | TYPES.map(lambda one: {"type": one}), _schemas, max_leaves=6)


def is_tenth(schema: Any) -> bool:
    return '"multipleOf": 0.1' in json.dumps(schema)


@given(SCHEMAS.filter(lambda one: isinstance(one, dict)), VALUES)
def test_our_validator_agrees_with_jsonschema(schema: Any, value: Any):
    if is_tenth(schema):  # jsonschema divides in binary: 0.3 is no multiple of 0.1 there
        schema = json.loads(json.dumps(schema).replace('"multipleOf": 0.1', '"multipleOf": 0.25'))

    assert (steps_of(schema).check(value) == []) == Draft202012Validator(schema).is_valid(value)


def test_multiples_are_those_of_the_written_numbers():
    assert steps_of({"multipleOf": 0.1}).check(0.3) == []
    assert steps_of({"multipleOf": 0.01}).check(1e300) == []
    assert len(steps_of({"multipleOf": 0.1}).check(math.pi)) == 1
