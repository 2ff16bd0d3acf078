"""The neutral schema as each provider's strict mode takes it."""

import enum
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, Json, JsonValue
from pydantic.json_schema import PydanticJsonSchemaWarning
from shown import dropped, exported, field, step
from typing_extensions import TypeAliasType

from twelvefold.exceptions import ConfigurationError, SchemaRefused
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, PLAIN, Profile, export, schema_of

STRICT = [OPENAI, ANTHROPIC, GEMINI]
ALL = [*STRICT, PLAIN]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    """A place."""

    x: int


class Tree(BaseModel):
    size: int
    below: "list[Tree]" = []


class Chain(BaseModel):
    after: "Chain | None"


class Open(BaseModel, extra="allow"):
    x: int


Alias = TypeAliasType("Alias", "int | list[Alias]")
Add, Done = step("add", a=float, b=float), step("done", message=str)
NULL = {"type": "null"}


def of_name(profile: Profile) -> str:
    return profile.name


# The root


@pytest.mark.parametrize("profile", ALL, ids=of_name)
@pytest.mark.parametrize("form", [Add | Done, list[Add], int, str, Literal["a", "b"], Tree])
def test_a_root_that_is_no_object_is_wrapped(form: Any, profile: Profile):
    if form is Tree and profile is ANTHROPIC:
        form = Point | None
    made = exported(form, profile)

    assert made.wrapped == "next_step"
    assert made.schema["type"] == "object"
    assert list(made.schema["properties"]) == made.schema["required"] == ["next_step"]
    assert made.schema["additionalProperties"] is False


@pytest.mark.parametrize("profile", ALL, ids=of_name)
def test_a_single_step_is_its_own_root(profile: Profile):
    made = exported(Add, profile)

    assert made.wrapped is None
    assert made.schema["required"] == ["intent", "a", "b"]


def test_the_whole_text_of_a_union():
    assert exported(Add | Done, OPENAI).text == (
        '{"type":"object","properties":{"next_step":'
        '{"anyOf":[{"$ref":"#/$defs/Add"},{"$ref":"#/$defs/Done"}]}},'
        '"required":["next_step"],"additionalProperties":false,"$defs":{'
        '"Add":{"type":"object","properties":{"intent":{"type":"string","enum":["add"]},'
        '"a":{"type":"number"},"b":{"type":"number"}},'
        '"required":["intent","a","b"],"additionalProperties":false},'
        '"Done":{"type":"object","properties":{"intent":{"type":"string","enum":["done"]},'
        '"message":{"type":"string"}},'
        '"required":["intent","message"],"additionalProperties":false}}}'
    )


# Words


@pytest.mark.parametrize("profile", ALL, ids=of_name)
def test_descriptions_stay_as_they_were_written(profile: Profile):
    form = step(doc="Does:\n- it.", x=(int, Field(description='the "x" {1}')))
    made = exported(form | Done, profile)

    [act] = [one for one in made.schema["$defs"].values() if "x" in one["properties"]]
    assert act["description"] == "Does:\n- it."
    assert act["properties"]["x"]["description"] == 'the "x" {1}'


def test_the_words_of_a_field_and_of_its_model_both_stay():
    made = exported(step(x=(Point, Field(description="Where to."))), OPENAI).schema

    assert made["properties"]["x"] == {
        "description": "Where to.",
        "anyOf": [{"$ref": "#/$defs/Point"}],
    }
    assert made["$defs"]["Point"]["description"] == "A place."


def test_a_described_field_of_an_undescribed_model_holds_it():
    class Size(BaseModel):
        width: int

    made = exported(step(x=(Size, Field(description="How large."))), OPENAI).schema

    assert made["properties"]["x"]["description"] == "How large."
    assert made["properties"]["x"]["required"] == ["width"]
    assert "$defs" not in made


@pytest.mark.parametrize("profile", STRICT, ids=of_name)
def test_examples_that_the_model_will_not_see_are_said(profile: Profile):
    form = Annotated[str, Field(examples=["v1"])]

    assert dropped(form, profile) == ["examples"]


# Fields that may be left out


@pytest.mark.parametrize("profile", STRICT, ids=of_name)
def test_a_default_is_null_on_the_wire(profile: Profile):
    made = exported(step(n=(int, 3), o=(int | None, None), c=(Colour, Colour.RED)), profile).schema

    assert made["required"] == ["intent", "n", "o", "c"]
    assert made["properties"]["n"] == {"anyOf": [{"type": "integer"}, NULL]}
    assert made["properties"]["o"] == {"anyOf": [{"type": "integer"}, NULL]}
    assert made["properties"]["c"] == {"anyOf": [{"$ref": "#/$defs/Colour"}, NULL]}


def test_plain_schemas_keep_what_may_be_left_out():
    made = exported(step(n=(int, 3)), PLAIN).schema

    assert made["required"] == ["intent"]
    assert made["properties"]["n"] == {"default": 3, "type": "integer"}


def test_too_many_nulls_for_anthropic_are_left_out_instead():
    some = step(**{f"f{n}": (int, n) for n in range(17)})
    made = exported(some, ANTHROPIC).schema

    assert made["required"] == ["intent"]
    assert made["properties"]["f3"] == {"type": "integer"}


# Types


@pytest.mark.parametrize("profile", STRICT, ids=of_name)
@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, NULL),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (Decimal, {"anyOf": [{"type": "number"}, {"type": "string"}]}),
        (bytes, {"type": "string"}),
        (Json, {"type": "string"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"], {"type": "string", "enum": ["a"]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (int | None, {"anyOf": [{"type": "integer"}, NULL]}),
        (Literal["a", None], {"anyOf": [{"type": "string", "enum": ["a"]}, NULL]}),
        (
            Literal["a", 1],
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}]},
        ),
        (datetime, {"type": "string", "format": "date-time"}),
        (Point, {"$ref": "#/$defs/Point"}),
    ],
)
def test_a_type_is_written_faithfully(form: Any, expected: Any, profile: Profile):
    assert field(form, profile) == expected


def test_a_tagged_union_of_models_is_an_any_of():
    class Cat(BaseModel):
        kind: Literal["cat"] = "cat"

    class Dog(BaseModel):
        kind: Literal["dog"] = "dog"

    pet = Annotated[Cat | Dog, Field(discriminator="kind")]
    made = field(pet | None, OPENAI)

    assert made == {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}, NULL]}


@pytest.mark.parametrize("profile", ALL, ids=of_name)
def test_no_wire_schema_has_what_strict_modes_refuse(profile: Profile):
    class Cat(BaseModel):
        kind: Literal["cat"] = "cat"

    class Dog(BaseModel):
        kind: Literal["dog"] = "dog"

    pet = Annotated[Cat | Dog, Field(discriminator="kind")]
    text = exported(step(x=pet) | Done, profile).text

    assert not {"oneOf", "discriminator", "const", "title"} & set(text.split('"'))


def test_formats_that_a_provider_does_not_know_are_dropped_and_said():
    assert field(UUID, OPENAI) == {"type": "string", "format": "uuid"}
    assert dropped(UUID, OPENAI) == []
    assert dropped(UUID, GEMINI) == ["format"]
    assert dropped(timedelta, ANTHROPIC) == []
    assert dropped(bytes, OPENAI) == ["format"]


@pytest.mark.parametrize(
    ("form", "openai", "anthropic", "gemini"),
    [
        (Annotated[int, Field(ge=1, le=5)], [], ["maximum", "minimum"], []),
        (Annotated[int, Field(gt=1)], [], ["exclusiveMinimum"], ["exclusiveMinimum"]),
        (Annotated[str, Field(min_length=2)], ["minLength"], ["minLength"], ["minLength"]),
        (Annotated[str, Field(pattern="^a")], [], ["pattern"], ["pattern"]),
        (Annotated[str, Field(pattern=r"(a)\1")], ["pattern"], ["pattern"], ["pattern"]),
        (Annotated[list[int], Field(min_length=1)], [], [], []),
        (Annotated[list[int], Field(min_length=2)], [], ["minItems"], []),
        (Annotated[list[int], Field(max_length=2)], [], ["maxItems"], []),
        (set[int], ["uniqueItems"], ["uniqueItems"], ["uniqueItems"]),
    ],
)
def test_bounds_are_kept_or_said(
    form: Any, openai: list[str], anthropic: list[str], gemini: list[str]
):
    if "(a)" in str(form):  # Pydantic's own engine has no back references either
        form = Annotated[str, Field(json_schema_extra={"pattern": r"(a)\1"})]

    assert sorted(dropped(form, OPENAI)) == openai
    assert sorted(dropped(form, ANTHROPIC)) == anthropic
    assert sorted(dropped(form, GEMINI)) == gemini


def test_gemini_has_no_enum_of_truths():
    assert field(Literal[True], GEMINI) == {"type": "boolean"}
    assert dropped(Literal[True], GEMINI) == ["enum"]
    assert dropped(Literal[True, False], GEMINI) == []
    assert field(Literal[True], OPENAI) == {"type": "boolean", "enum": [True]}


def test_what_was_dropped_names_the_field():
    made = exported(step("act", x=Annotated[int, Field(ge=1)]), ANTHROPIC)

    assert [tuple(one) for one in made.dropped] == [("Act.x", "minimum")]


class Place(BaseModel):
    street: str


def test_plain_schemas_close_what_says_nothing_as_the_parser_does():
    made = exported(step(at=Place, beside=Open, by_name=dict[str, int]), PLAIN).schema

    assert made["$defs"]["Place"]["additionalProperties"] is False
    assert made["$defs"]["Open"]["additionalProperties"] is True
    assert made["properties"]["by_name"]["additionalProperties"] == {"type": "integer"}


def test_parts_of_one_object_stay_open_for_each_other():
    parts = [{"type": "object", "properties": {name: {"type": "string"}}} for name in "ab"]
    made = export(json.dumps({"type": "object", "allOf": parts}), PLAIN).schema

    assert made["properties"]["next_step"]["allOf"] == parts


def test_plain_schemas_drop_nothing():
    made = exported(step(x=Annotated[int, Field(ge=1)], y=dict[str, Any], z=tuple[int, str]), PLAIN)

    assert made.dropped == ()
    assert made.schema["properties"]["x"]["minimum"] == 1


# Refusals


@pytest.mark.parametrize(
    ("form", "profile", "says"),
    [
        (dict[str, int], OPENAI, "Act.x: OpenAI's strict mode has no maps"),
        (dict[str, int], ANTHROPIC, "Act.x: Anthropic's strict mode has no maps"),
        (list[dict[str, int]], OPENAI, "Act.x[]: OpenAI's strict mode has no maps"),
        (dict, OPENAI, "has no maps"),
        (Open, OPENAI, "Open (used by Act.x): OpenAI's strict mode has no maps"),
        (tuple[int, str], OPENAI, "Act.x: OpenAI's strict mode has no tuples of several types"),
        (tuple[int, str], ANTHROPIC, "no tuples"),
        (Any, OPENAI, "Act.x: OpenAI's strict mode needs a type for every value"),
        (Any, GEMINI, "needs a type"),
        (list, ANTHROPIC, "Act.x[]: Anthropic's strict mode needs a type"),
        (JsonValue, OPENAI, "JsonValue (used by Act.x): OpenAI's strict mode needs a type"),
        (Tree, ANTHROPIC, "Act.x: Anthropic's strict mode has no recursion, and Tree contains"),
        (
            Alias,
            GEMINI,
            "Alias (used by Act.x): Gemini's structured output has recursion",
        ),
        (
            Chain,
            GEMINI,
            "Chain.after (used by Act.x): Gemini's structured output has",
        ),
    ],
)
def test_a_shape_that_cannot_be_said_is_refused_by_name(form: Any, profile: Profile, says: str):
    with pytest.raises(SchemaRefused) as refused:
        exported(step(x=form), profile)

    assert says in str(refused.value)
    assert str(refused.value).endswith('or use mode="tool" or mode="prompt".')
    assert isinstance(refused.value, ConfigurationError)


def test_a_type_without_any_schema_is_refused_by_name():
    """Pydantic would leave the step out of the union, and the model could never choose it."""
    for form in (Callable[[int], int], Callable[[int], int] | int):
        with pytest.raises(SchemaRefused, match=r"^Act\.x: .*Callable.*plain data"):
            schema_of(step(y=int, x=form) | Done)


def test_gemini_takes_maps_and_tuples():
    assert field(dict[str, int], GEMINI)["additionalProperties"] == {"type": "integer"}
    assert field(tuple[int, str], GEMINI)["prefixItems"] == [
        {"type": "integer"},
        {"type": "string"},
    ]


def test_a_tuple_of_one_type_is_a_list_of_that_length():
    assert field(tuple[int, int], OPENAI) == {
        "type": "array",
        "items": {"type": "integer"},
        "maxItems": 2,
        "minItems": 2,
    }
    assert sorted(dropped(tuple[int, int], ANTHROPIC)) == ["maxItems", "minItems"]


def test_recursion_stays_for_openai_and_is_optional_for_gemini():
    form = step(x=Tree)

    assert exported(form, OPENAI).schema["$defs"]["Tree"]["required"] == ["size", "below"]
    assert exported(form, GEMINI).schema["$defs"]["Tree"]["required"] == ["size"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"x": {"allOf": [{"type": "string"}, {"minLength": 1}]}}},
        {"type": "object", "properties": {"x": {"$ref": "https://example.com/x"}}},
        {"type": "object", "properties": {"x": {"enum": [["a"]]}}},
        {"type": "object", "properties": {}, "patternProperties": {"^a": {"type": "string"}}},
        {"type": "object", "properties": {}, "anyOf": [{"required": ["x"]}]},
        {"type": "object", "properties": {"x": {"type": "thing"}}},
        {"type": "object", "properties": {"x": {"type": "array"}}},
        {"type": "object", "properties": {"x": True}},
    ],
)
@pytest.mark.parametrize("profile", [OPENAI, ANTHROPIC], ids=of_name)
def test_schemas_of_others_are_refused_too(schema: Any, profile: Profile):
    with pytest.raises(SchemaRefused):
        export(json.dumps(schema), profile)


def test_an_all_of_one_part_is_that_part():
    schema = {
        "type": "object",
        "properties": {"x": {"allOf": [{"$ref": "#/definitions/X"}], "default": 1}},
        "definitions": {"X": {"type": "integer"}},
    }
    made = export(json.dumps(schema), OPENAI).schema

    assert made["properties"]["x"] == {"anyOf": [{"$ref": "#/$defs/X"}, NULL]}
    assert made["$defs"] == {"X": {"type": "integer"}}


def test_a_definition_may_have_any_name():
    schema = {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/a~1b~0c"}},
        "required": ["x"],
        "$defs": {"a/b~c": {"type": "object", "properties": {}}},
    }
    made = export(json.dumps(schema), OPENAI).schema

    assert made["properties"]["x"] == {"$ref": "#/$defs/a~1b~0c"}
    assert list(made["$defs"]) == ["a/b~c"]


def test_a_list_of_types_is_a_union():
    schema = {"type": "object", "properties": {"x": {"type": ["string", "null"]}}}

    made = export(json.dumps(schema), OPENAI).schema

    assert made["properties"]["x"] == {"anyOf": [{"type": "string"}, NULL]}


# The same bytes


def test_the_order_of_fields_and_variants_is_that_of_the_code():
    backwards = exported(step("b", z=int, a=int) | step("a", y=int, b=int), OPENAI).schema

    refs = [one["$ref"] for one in backwards["properties"]["next_step"]["anyOf"]]
    assert refs == ["#/$defs/B", "#/$defs/A"]
    assert list(backwards["$defs"]["B"]["properties"]) == ["intent", "z", "a"]


def test_a_schema_is_exported_once():
    text = schema_of(Add | Done)

    assert export(text, OPENAI) is export(text, replace(OPENAI))


SCRIPT = """
from test_schema_export import *
for profile in ALL:
    print(exported(step(c=(Colour, Colour.RED), p=Point, l=Literal["x", 1]) | Add, profile).text)
"""


def test_a_default_that_json_cannot_hold_is_only_warned_of():
    form = step("act", x=(Any, object()))

    with pytest.warns(PydanticJsonSchemaWarning, match="non-serializable-default"):
        assert "default" not in json.loads(schema_of(form))["properties"]["x"]


def test_every_process_writes_the_same_bytes():
    folder = __file__.rsplit("/", 1)[0]
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=folder,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": folder},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(said) == 1
    assert said.pop().count(b"\n") == len(ALL)
