"""An input schema becomes a step model: what fits it passes, what does not is refused, and what is
sent is what the server asked for."""

from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from twelvefold.exceptions import ToolRefused
from twelvefold.mcp.client import Allowed, McpStep
from twelvefold.mcp.client.pins import Pin
from twelvefold.mcp.client.stepping import step_of
from twelvefold.schemas import OPENAI, PLAIN, export, output_format
from twelvefold.steps import args_of, read_step, schema_hash
from twelvefold.tools import parse, schema_of

Json = dict[str, Any]


def made(schema: Json, name: str = "do", **allowed: Any) -> type[McpStep]:
    return step_of("it", Allowed(name, **allowed), Pin.of({"name": name, "inputSchema": schema}))


def of(properties: Json, *required: str, **more: Any) -> type[McpStep]:
    return made({"type": "object", "properties": properties, "required": [*required], **more})


def sent(kind: type[McpStep], **arguments: Any) -> Json:
    step = kind(**arguments)
    assert read_step(kind, args_of(step)) == step  # what is stored is what runs
    return step.sent()


ISSUE = {
    "type": "object",
    "$schema": "http://json-schema.org/draft-07/schema#",
    "additionalProperties": False,
    "properties": {
        "owner": {"type": "string", "description": "Repository owner", "minLength": 1},
        "title": {"type": "string", "maxLength": 20},
        "state": {"type": "string", "enum": ["open", "closed"], "default": "open"},
        "labels": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "milestone": {"type": "integer", "minimum": 1},
        "draft": {"type": "boolean", "default": False},
        "since": {"type": "string", "format": "date-time"},
        "assignee": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    },
    "required": ["owner", "title"],
}
TREE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/Node"}},
    "required": ["root"],
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}, "default": []},
            },
            "required": ["name"],
        }
    },
}


def test_what_is_left_out_is_not_sent_and_a_default_is():
    kind = made(ISSUE)

    assert sent(kind, owner="a", title="b") == {
        "owner": "a",
        "title": "b",
        "state": "open",
        "draft": False,
    }
    assert sent(kind, owner="a", title="b", labels=["x"], milestone=2)["labels"] == ["x"]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"owner": ""}, "owner"),
        ({"title": "x" * 21}, "title"),
        ({"state": "ajar"}, "state"),
        ({"labels": ["a", "b", "c"]}, "labels"),
        ({"labels": "a"}, "labels"),
        ({"milestone": 0}, "milestone"),
        ({"milestone": "1"}, "milestone"),
        ({"draft": 1}, "draft"),
        ({"since": "tomorrow"}, "since"),
        ({"bcc": "m@evil"}, "bcc"),
    ],
    ids=str,
)
def test_what_breaks_the_schema_is_no_step(wrong: Json, where: str):
    with pytest.raises(ValidationError, match=where):
        made(ISSUE)(**{"owner": "a", "title": "b", **wrong})


def test_objects_in_objects_have_attributes_and_are_closed():
    kind = of(
        {
            "filter": {
                "type": "object",
                "properties": {"by": {"type": "string"}, "limit": {"type": "integer"}},
                "required": ["by"],
            }
        },
        "filter",
    )
    step: Any = kind(filter={"by": "date"})

    assert step.filter.by == "date"
    assert step.sent() == {"filter": {"by": "date"}}
    with pytest.raises(ValidationError):
        kind(filter={"by": "date", "sql": "drop"})


def test_unions_enums_and_constants_keep_their_values():
    shape = {
        "oneOf": [
            {
                "type": "object",
                "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}},
                "required": ["kind", "r"],
            },
            {
                "type": "object",
                "properties": {"kind": {"const": "square"}, "a": {"type": "integer"}},
                "required": ["kind", "a"],
            },
        ]
    }
    kind = of({"shape": shape, "level": {"enum": [1, 2, "max"]}}, "shape", "level")

    assert sent(kind, shape={"kind": "square", "a": 2}, level="max") == {
        "shape": {"kind": "square", "a": 2},
        "level": "max",
    }
    for wrong in ({"kind": "square", "r": 1}, {"kind": "ring", "r": 1}, {"r": 1}):
        with pytest.raises(ValidationError):
            kind(shape=wrong, level=1)
    with pytest.raises(ValidationError):
        kind(shape={"kind": "circle", "r": 1}, level=3)


def test_a_whole_number_stays_whole_and_a_truth_is_no_number():
    kind = of({"n": {"type": "number"}, "x": {"enum": [1, True]}}, "n")

    assert repr(sent(kind, n=3)["n"]) == "3"
    assert repr(sent(kind, n=0.5)["n"]) == "0.5"
    assert sent(kind, n=1, x=True)["x"] is True
    with pytest.raises(ValidationError):
        kind(n=True)


def test_null_is_sent_where_it_is_a_value_that_must_be_given():
    kind = of({"due": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}}, "due")

    assert sent(kind, due=None) == {"due": None}
    assert sent(kind, due="today", to="b") == {"due": "today", "to": "b"}


def test_a_tree_is_a_model_that_holds_itself():
    kind = made(TREE)
    leaf = {"name": "c"}

    assert sent(kind, root={"name": "a", "children": [{"name": "b", "children": [leaf]}]}) == {
        "root": {
            "name": "a",
            "children": [{"name": "b", "children": [{"name": "c", "children": []}]}],
        }
    }
    with pytest.raises(ValidationError):
        kind(root={"name": "a", "children": [{"nom": "b"}]})


def test_maps_take_any_key_and_check_the_values():
    kind = of(
        {
            "env": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"type": "object"},
            "x": {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}},
        }
    )

    assert sent(kind, env={"A": "1"}, any={"b": [1, {"c": None}]}, x={"x-a": 1}) == {
        "env": {"A": "1"},
        "any": {"b": [1, {"c": None}]},
        "x": {"x-a": 1},
    }
    for wrong in ({"env": {"A": 1}}, {"x": {"x-a": "one"}}):
        with pytest.raises(ValidationError):
            kind(**wrong)


def test_an_object_that_says_it_is_open_takes_more():
    kind = of({"a": {"type": "string"}}, additionalProperties={"type": "integer"})

    assert sent(kind, a="b", more=3) == {"a": "b", "more": 3}
    with pytest.raises(ValidationError):
        kind(more="three")


@pytest.mark.parametrize(
    "name",
    "class from model_config model_x schema json copy _id a-b $filter intent risk origin sent"
    " left_out takes_intent intent_ 1st né self args __proto__".split(),
)
def test_an_argument_of_any_name_is_sent_under_that_name(name: str):
    kind = of({name: {"type": "string"}, "other": {"type": "integer"}}, name)
    stored = "intent_" if name == "intent" else name

    assert sent(kind, **{stored: "x"}) == {name: "x"}
    assert stored in kind.model_json_schema()["properties"]


def test_a_name_with_a_dash_below_and_intent_inside_of_another_are_their_own():
    inner = {"type": "object", "properties": {"intent": {"type": "string"}}}
    kind = of({"intent_": {"type": "string"}, "a": inner})

    assert sent(kind, intent_="x", a={"intent": "y"}) == {"intent_": "x", "a": {"intent": "y"}}


def test_two_names_that_python_writes_alike_stay_two():
    kind = of({"a-b": {"type": "string"}, "a_b": {"type": "string"}, "a.b": {"type": "string"}})

    assert sent(kind, **{"a-b": "1", "a_b": "2", "a.b": "3"}) == {
        "a-b": "1",
        "a_b": "2",
        "a.b": "3",
    }


OLDER: dict[str, tuple[Json, Json, Json]] = {
    "a pointer into properties, as zod writes it": (
        {"a": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}}
        | {"c": {"$ref": "#/properties/a"}},
        {"c": {"b": "x"}},
        {"c": {"b": 1}},
    ),
    "definitions": ({"a": {"$ref": "#/definitions/A"}}, {"a": "x"}, {"a": 1}),
    "nullable, as OpenAPI writes it": (
        {"a": {"type": "string", "nullable": True, "enum": ["x"]}},
        {"a": "x"},
        {"a": "y"},
    ),
    "a list of items": (
        {"a": {"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}},
        {"a": ["x", 1]},
        {"a": [1, "x"]},
    ),
    "exclusiveMinimum as a truth": (
        {"a": {"type": "integer", "minimum": 1, "exclusiveMinimum": True}},
        {"a": 2},
        {"a": 1},
    ),
    "dependencies": (
        {"a": {"type": "string"}, "b": {"type": "string"}},
        {"a": "x", "b": "y"},
        {"a": "x"},
    ),
    "words that say nothing of a value": (
        {"a": {"type": "string", "markdownDescription": "!", "example": "x", "x-order": 1}},
        {"a": "x"},
        {"a": 1},
    ),
}


@pytest.mark.parametrize("what", OLDER)
def test_schemas_of_older_drafts_mean_what_they_meant(what: str):
    properties, right, wrong = OLDER[what]
    more: Json = {"definitions": {"A": {"type": "string"}}} if what == "definitions" else {}
    if what == "dependencies":
        more["dependencies"] = {"a": ["b"]}
    kind = of(properties, **more)

    assert sent(kind, **right) == right
    with pytest.raises(ValidationError):
        kind(**wrong)


def test_restrictions_that_no_type_says_hold_all_the_same():
    kind = of(
        {"phone": {"type": "string"}, "mail": {"type": "string"}, "n": {"type": "integer"}},
        anyOf=[{"required": ["phone"]}, {"required": ["mail"]}],
        allOf=[{"properties": {"n": {"multipleOf": 5}}}],
        **{"if": {"required": ["n"]}, "then": {"required": ["mail"]}},
    )

    assert sent(kind, mail="m", n=10) == {"mail": "m", "n": 10}
    for wrong in ({}, {"phone": "1", "n": 5}, {"mail": "m", "n": 6}):
        with pytest.raises(ValidationError):
            kind(**wrong)


def test_parts_that_must_all_hold_are_one_object():
    kind = of(
        {
            "a": {
                "allOf": [
                    {"$ref": "#/$defs/Named"},
                    {"type": "object", "properties": {"n": {"type": "integer"}}},
                ]
            }
        },
        "a",
        **{
            "$defs": {
                "Named": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}},
                    "required": ["name"],
                }
            }
        },
    )

    assert sent(kind, a={"name": "x", "n": 1}) == {"a": {"name": "x", "n": 1}}
    with pytest.raises(ValidationError):
        kind(a={"n": 1})


REFUSED: dict[str, tuple[Json, str]] = {
    "a reference elsewhere": ({"a": {"$ref": "http://localhost:1/x.json"}}, "nothing is fetched"),
    "a file": ({"a": {"$ref": "file:///etc/passwd"}}, "nothing is fetched"),
    "a reference to nothing": ({"a": {"$ref": "#/$defs/Gone"}}, "Gone"),
    "a pointer to nothing": ({"a": {"$ref": "#/properties/b/items"}}, "not there"),
    "a type of another language": ({"a": {"type": "date"}}, "no type of JSON"),
    "a pattern of another language": ({"a": {"pattern": r"\p{L}+"}}, "pattern"),
    "what cannot be checked": ({"a": {"unevaluatedItems": False}}, "unevaluatedItems"),
    "an endless reference": ({"a": {"allOf": [{"$ref": "#/properties/a"}]}}, "refer"),
    "no schema": ({"a": 5}, "input schema"),
    "an empty enum": ({"a": {"enum": []}}, "enum"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_said_is_refused_by_tool_and_place(what: str):
    properties, why = REFUSED[what]

    with pytest.raises(ToolRefused, match=why) as refused:
        of(properties)
    assert str(refused.value).startswith("it.do: ")


def test_the_place_inside_is_said():
    inner = {"type": "object", "properties": {"when": {"type": "moment"}}}

    with pytest.raises(ToolRefused, match=r"filter\[\]\.when: 'moment'"):
        of({"filter": {"type": "array", "items": inner}})


def test_a_schema_as_deep_as_a_stack_is_refused():
    deep: Json = {"type": "string"}
    for levels in range(5_000):
        deep = {"type": "array", "items": deep}
        if levels in {100, 4_999}:
            with pytest.raises(ToolRefused, match=r"nested more than|no JSON"):
                of({"a": deep})


def test_a_schema_that_unfolds_without_end_is_small_work():
    names = [f"D{n}" for n in range(25)]
    defs = {
        name: {"type": "array", "prefixItems": [{"$ref": f"#/$defs/{below}"}] * 9}
        for name, below in zip(names, [*names[1:], "End"], strict=True)
    }
    kind = of({"a": {"$ref": "#/$defs/D0"}}, **{"$defs": {**defs, "End": {"type": "string"}}})

    assert len(schema_of(kind)) < 10_000
    assert sent(kind, a=[]) == {"a": []}


def test_a_default_that_breaks_its_own_schema_is_no_default():
    kind = of({"mode": {"type": "string", "enum": ["a"], "default": ""}})

    assert sent(kind) == {}


def test_arguments_that_are_filled_in_are_none_of_the_step():
    kind = made(ISSUE, fill={"owner": "acme"})

    assert "owner" not in kind.model_json_schema()["properties"]
    assert sent(kind, title="b") == {"title": "b", "state": "open", "draft": False}
    with pytest.raises(ToolRefused, match="no argument 'team' to fill"):
        made(ISSUE, fill={"team": "x"})


def test_a_model_is_shown_the_words_and_shapes_of_the_server():
    kind = made(ISSUE, description="Open an issue.")
    shown = export(schema_of(kind), PLAIN).schema

    assert kind.__doc__ == "Open an issue."
    assert shown["properties"]["owner"]["description"] == "Repository owner"
    assert shown["properties"]["state"]["enum"] == ["open", "closed"]
    assert export(schema_of(kind | made(TREE, "other")), OPENAI).wrapped == "next_step"
    assert "labels?: string[]" in output_format(kind)


def test_a_reply_of_a_model_becomes_the_step():
    kind = made(ISSUE)
    reply = '{"intent": "it__do", "owner": "a", "title": "b", "labels": null, "milestone": "3"}'

    step: Any = parse(reply, kind).step

    assert isinstance(step, kind)
    assert step.sent() == {
        "owner": "a",
        "title": "b",
        "state": "open",
        "milestone": 3,
        "draft": False,
    }


def test_another_schema_is_another_hash_and_other_words_are_not():
    other = {**ISSUE, "required": ["owner"]}

    assert schema_hash(made(ISSUE)) == schema_hash(made(ISSUE, description="other words"))
    assert schema_hash(made(ISSUE)) != schema_hash(made(other))


VALUES: list[Any] = [None, True, 0, 1, 5, -1, 0.5, 1.0, "", "open", "x" * 30, [], ["a"], [1], {}]
VALUES += [
    {"name": "a"},
    {"name": 1},
    {"b": "x"},
    {"by": "date", "sql": "x"},
    {"name": "a", "children": [{"name": "b"}]},
    [{"name": "a"}],
]


@pytest.mark.parametrize("schema", [ISSUE, TREE], ids=["issue", "tree"])
def test_what_passes_here_passes_the_reference_validator(schema: Json):
    kind, judge = made(schema), jsonschema.Draft202012Validator(schema)
    right: Json = {"owner": "a", "title": "b"} if schema is ISSUE else {"root": {"name": "a"}}
    passed = 0

    for name in schema["properties"]:
        for value in VALUES:
            try:
                step = kind(**{**right, name: value})
            except ValidationError:
                continue
            passed += 1
            assert judge.is_valid(step.sent()), (name, value, step.sent())

    assert passed > 1
