"""Each keyword of JSON Schema on its own: a right value, a wrong one, and what is said of it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from twelvefold.schemas.keywords import CHECKS
from twelvefold.tools import steps_from_json_schema

NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}
DATES = {"required": ["until"], "dependentRequired": {"until": ["since"]}}
CASES: list[tuple[str, dict[str, Any], Any, Any, str]] = [
    ("$ref", {"$ref": "#/$defs/N", "$defs": {"N": NODE}}, {}, {"next": 1}, "next: must be object"),
    ("type", {"type": "integer"}, 1.0, 1.5, "must be integer, not 1.5"),
    ("type", {"type": ["number", "null"]}, 1, True, "must be number or null, not true"),
    ("enum", {"enum": [1, "a", [1]]}, [1.0], True, 'must be one of 1, "a", [1], not true'),
    ("const", {"const": {"a": 1}}, {"a": 1.0}, {"a": 2}, 'must be {"a":1}, not {"a":2}'),
    ("anyOf", {"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 0, 3, "must be at least 5, not 3"),
    ("oneOf", {"oneOf": [{"minimum": 1}, {"type": "string"}]}, 1, "a", "fits 2 variants"),
    ("oneOf", {"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 1, 0, "must be at least 1, not 0"),
    ("allOf", {"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3, "must be at most 2, not 3"),
    ("not", {"not": {"type": "null"}}, 1, None, "must not be null"),
    ("if", {"if": {"minimum": 5}, "then": {"multipleOf": 5}}, 3, 6, "must be a multiple of 5"),
    ("if", {"if": {"minimum": 5}, "else": {"const": 1}}, 1, 2, "must be 1, not 2"),
    ("minimum", {"minimum": 1}, 1, 0.9, "must be at least 1, not 0.9"),
    ("maximum", {"maximum": 1}, "2", 2, "must be at most 1, not 2"),
    ("exclusiveMinimum", {"exclusiveMinimum": 1}, 1.1, 1, "must be above 1, not 1"),
    ("exclusiveMaximum", {"exclusiveMaximum": 1}, 0, 1, "must be below 1, not 1"),
    ("multipleOf", {"multipleOf": 0.5}, 1.5, 1.2, "must be a multiple of 0.5, not 1.2"),
    ("minLength", {"minLength": 2}, "éé", "é", "must have at least 2 characters"),
    ("maxLength", {"maxLength": 1}, "é", "éé", "must have at most 1 characters"),
    ("minItems", {"minItems": 1}, [0], [], "must have at least 1 items"),
    ("maxItems", {"maxItems": 1}, [0], [0, 0], "must have at most 1 items"),
    ("minProperties", {"minProperties": 1}, {"a": 1}, {}, "must have at least 1 properties"),
    ("maxProperties", {"maxProperties": 0}, {}, {"a": 1}, "must have at most 0 properties"),
    ("pattern", {"pattern": "b$"}, "ab", "ba", "must match b$"),
    ("items", {"items": {"type": "null"}}, [None], [None, 1], "[1]: must be null, not 1"),
    ("items", {"prefixItems": [{}], "items": False}, [1], [1, 2], "[1]: must not be there"),
    ("prefixItems", {"prefixItems": [{}, {"const": 1}]}, [2], [2, 2], "[1]: must be 1, not 2"),
    ("contains", {"contains": {"const": 1}}, [2, 1], [2], "has 0 of the items"),
    ("contains", {"contains": {}, "minContains": 0, "maxContains": 1}, [], [1, 1], "has 2 of"),
    ("uniqueItems", {"uniqueItems": True}, [1, True, "1"], [{"a": [1]}, {"a": [1.0]}], "twice"),
    ("properties", {"properties": {"a": {"type": "null"}}}, {"b": 1}, {"a": 1}, "a: must be null"),
    ("required", {"required": ["a"]}, {"a": None}, {}, "a: is missing"),
    ("additionalProperties", {"additionalProperties": False}, {}, {"a": 1}, "a: must not be there"),
    (
        "additionalProperties",
        {"properties": {"a": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False},
        {"a": 1, "xy": 1},
        {"b": 1},
        "b: must not be there",
    ),
    (
        "patternProperties",
        {"patternProperties": {"^x": {"type": "null"}}},
        {"a": 1, "x": None},
        {"xy": 1},
        "xy: must be null, not 1",
    ),
    (
        "propertyNames",
        {"propertyNames": {"maxLength": 1}},
        {"a": 1},
        {"ab": 1},
        "(ab): must have at most 1 characters",
    ),
    ("dependentRequired", DATES, {"until": 1, "since": 1}, {"until": 1}, "since: is missing, as"),
]


@pytest.mark.parametrize(("keyword", "schema", "right", "wrong", "says"), CASES)
def test_a_keyword_takes_the_right_value_only(
    keyword: str, schema: dict[str, Any], right: Any, wrong: Any, says: str
):
    steps, second = steps_from_json_schema(schema), Draft202012Validator(schema)

    assert steps.check(right) == []
    assert [says in said for said in steps.check(wrong)] == [True]
    assert (second.is_valid(right), second.is_valid(wrong)) == (True, False)


ANY_TYPE = {"$ref", "format", "not", "if", "enum", "anyOf", "oneOf", "allOf", "const", "type"}


@pytest.mark.parametrize(
    "schema", [schema for keyword, schema, *_ in CASES if keyword not in ANY_TYPE]
)
def test_a_keyword_says_nothing_of_other_types(schema: dict[str, Any]):
    assert steps_from_json_schema(schema).check(None) == []


def test_every_keyword_has_a_case():
    assert {name for name, *_ in CASES} == CHECKS.keys() - {"format"}
