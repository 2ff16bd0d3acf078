"""The short text of a union, for prompts."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from benchmarks import o200k
from pydantic import BaseModel, Field, Json
from shown import step

from twelvefold.schemas import output_format, schema_of
from twelvefold.tools import steps_from_json_schema


def line(form: Any) -> str:
    """How a field of this type is shown."""
    text = output_format(step(x=form))
    return text.removeprefix('{intent: "act", x').removesuffix("}").removeprefix(": ")


class Point(BaseModel):
    x: int
    y: int = 0


class Either(BaseModel):
    x: int | str


class Tree(BaseModel):
    size: int
    below: "list[Tree]" = []


class Shop(BaseModel):
    """Where it is
    sold."""

    name: str = Field(description="As on the sign.")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (str, "string"),
        (int, "int"),
        (float, "float"),
        (bool, "bool"),
        (None, "null"),
        (Any, "any"),
        (Json, "string(application/json)"),
        (Json[list[int]], "string(application/json, of int[])"),
        (datetime, "string(date-time)"),
        (Literal["a", 1, None], '"a" | 1 | null'),
        (int | None, "int | null"),
        (list[int], "int[]"),
        (list[int | None], "(int | null)[]"),
        (list[list[str]], "string[][]"),
        (list[Literal["a", "b"]], '("a" | "b")[]'),
        (list[Literal["{ | }"]], '("{ | }")[]'),
        (set[int], "int[](no item twice)"),
        (dict[str, int | str], "map<string, int | string>"),
        (dict[Literal["a", "b"], int], 'map<"a" | "b", int>'),
        (dict, "map<string, any>"),
        (tuple[int, str], "[int, string]"),
        (tuple[int, ...], "int[]"),
        (Point, "{x: int, y?: int = 0}"),
        (list[Either], "{x: int | string}[]"),
        (list[Point | Either], "({x: int, y?: int = 0} | {x: int | string})[]"),
        (list[Point], "{x: int, y?: int = 0}[]"),
        (Annotated[int, Field(ge=1, lt=5)], "int(>=1, <5)"),
        (Annotated[int, Field(multiple_of=5)], "int(multiple of 5)"),
        (Annotated[str, Field(min_length=1)], "string(1.. characters)"),
        (Annotated[str, Field(max_length=9, pattern="^a")], "string(matches ^a, 0..9 characters)"),
        (Annotated[list[int], Field(min_length=2, max_length=2)], "int[](2 items)"),
        ((int, 3), "?: int = 3"),
        ((str, "x"), '?: string = "x"'),
        ((int | None, None), "?: int | null"),
    ],
)
def test_every_type_is_shown(form: Any, expected: str):
    assert line(form) == expected


def test_a_union_has_a_line_for_each_step():
    steps = step("add", a=float, b=float) | step("done", message=str)

    assert output_format(steps) == (
        '{intent: "add", a: float, b: float} |\n{intent: "done", message: string}'
    )


def test_descriptions_are_comments_word_for_word():
    form = step(doc="Does it.", x=(int, Field(description="How\n\noften?")), y=str)

    assert output_format(form).split("\n") == [
        "{",
        "  // Does it.",
        '  intent: "act",',
        "  // How",
        "  //",
        "  // often?",
        "  x: int,",
        "  y: string,",
        "}",
    ]


def test_nothing_else_is_said():
    form = step(x=int, y=(str, "z"))

    assert output_format(form) == '{intent: "act", x: int, y?: string = "z"}'


def test_a_model_in_a_field_keeps_its_words():
    assert output_format(
        step(x=(Shop, Field(description="Which."))),
    ).split("\n") == [
        "{",
        '  intent: "act",',
        "  // Which.",
        "  x: {",
        "    // Where it is",
        "    // sold.",
        "    // As on the sign.",
        "    name: string,",
        "  },",
        "}",
    ]


def test_what_is_used_twice_or_holds_itself_has_a_name():
    assert output_format(step(x=Tree, a=Point, b=Point)) == (
        "Point: {x: int, y?: int = 0}\n\n"
        "Tree: {size: int, below?: Tree[] = []}\n\n"
        '{intent: "act", x: Tree, a: Point, b: Point}'
    )


def test_long_steps_are_broken_into_lines():
    text = output_format(step(**{f"field_{n}": str for n in range(9)}))

    assert text.startswith('{\n  intent: "act",\n  field_0: string,\n')
    assert text.endswith("\n  field_8: string,\n}")


@pytest.mark.parametrize("form", [int, list[Point], Literal["a", "b"], Point | None])
def test_any_root_has_a_form(form: Any):
    assert output_format(form) == {
        int: "int",
        list[Point]: "{x: int, y?: int = 0}[]",
        Literal["a", "b"]: '"a" | "b"',
    }.get(form, "{x: int, y?: int = 0} |\nnull")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "any"),
        ({"type": ["integer", "null"], "minimum": 1}, "int(>=1) | null"),
        ({"allOf": [{"type": "string"}], "description": "x"}, "// x\nstring"),
        ({"allOf": [{"type": "integer"}, {"enum": [1, 2]}]}, "int & (1 | 2)"),
        ({"type": "object", "properties": {"a b": {}}, "required": ["a b"]}, '{"a b": any}'),
        (
            {
                "type": "object",
                "properties": {"a": {}},
                "additionalProperties": {"type": "integer"},
            },
            "{a?: any, [string]: int}",
        ),
        ({"prefixItems": [{"type": "null"}], "items": {"type": "string"}}, "[null, ...string[]]"),
        ({"type": "object", "additionalProperties": False}, "{}"),
    ],
)
def test_schemas_of_others_are_shown_too(schema: Any, expected: str):
    assert output_format(steps_from_json_schema(schema)) == expected


def test_the_same_union_gives_the_same_bytes():
    one, two = step("a", x=int), step("b", y=str)

    assert output_format(one | two) == output_format(one | two)
    assert output_format(one | two) != output_format(two | one)


def test_a_union_of_three_costs_a_fifth_of_its_json_schema():
    steps = (
        step("deploy_backend", tag=str)
        | step(
            "request_human_input",
            question=str,
            context=(str | None, None),
            urgency=(Literal["low", "medium", "high"], "low"),
        )
        | step("done_for_now", message=str)
    )
    indented = json.dumps(json.loads(schema_of(steps)), indent=2)

    assert o200k.count(output_format(steps)) <= 80
    assert o200k.count(indented) >= 5 * o200k.count(output_format(steps))
