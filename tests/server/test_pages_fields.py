"""A schema and a value become fields; what was typed becomes a value, exactly."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from starlette.datastructures import FormData

from twelvefold.server.pages.fields import fields_of
from twelvefold.server.pages.filled import NONE, PREFIX, read, typed_fields


class Place(BaseModel):
    city: str
    zip: str | None = None


class Order(BaseModel):
    title: str = ""
    text: str = "a\nb"
    count: int = Field(1, ge=1, le=9)
    price: float = 1.5
    urgent: bool = False
    size: Literal["s", "m", "l"] = "m"
    one: Literal["only"] = "only"
    note: str | None = None
    sizes: list[Literal["s", "m", "l"]] = ["s"]
    tags: list[str] = ["x"]
    grid: list[list[int]] = [[1, 2]]
    place: Place = Place(city="Rome")
    maybe: Place | None = None
    either: int | str = 7
    anything: Any = None
    limits: dict[str, int] = {"a": 1}


SCHEMA = Order.model_json_schema()
VALUES = Order().model_dump(mode="json")


def left_as_it_is(values: dict[str, Any] = VALUES, schema: Any = SCHEMA) -> list[tuple[str, str]]:
    """What a browser sends of a form in which nobody touched anything."""
    sent: list[tuple[str, str]] = []

    def add(fields: Any) -> None:
        for one in fields:
            if one.kind == "group":
                add(one.fields)
            elif one.kind == "choices":
                sent.extend((PREFIX + one.path, text) for text in one.chosen)
            elif one.kind != "fixed":
                sent.append((PREFIX + one.path, one.raw.replace("\n", "\r\n")))
            if one.is_none:
                sent.append((NONE + one.path, "1"))

    add(fields_of(schema, values))
    return sent


def changed(values: dict[str, Any] = VALUES, **typed: str | list[str] | None) -> Any:
    """What comes of a form in which these fields were filled in; None ticks `no value`."""
    named = {path.replace("__", "."): text for path, text in typed.items()}
    sent = [
        (n, v)
        for n, v in left_as_it_is(values)
        if n.removeprefix(PREFIX).removeprefix(NONE) not in named
    ]
    for path, text in named.items():
        if text is None:
            old = next((v for n, v in left_as_it_is(values) if n == PREFIX + path), "")
            sent += [(NONE + path, "1"), (PREFIX + path, old)]
        else:
            sent += [(PREFIX + path, one) for one in ([text] if isinstance(text, str) else text)]
    filled = read(fields_of(SCHEMA, values), FormData(sent))
    return filled.errors or filled.values


def test_each_argument_has_the_field_that_fits_it():
    kinds = {field.label: field.kind for field in fields_of(SCHEMA, VALUES)}

    assert kinds == {
        "title": "text",
        "text": "area",
        "count": "integer",
        "price": "number",
        "urgent": "choice",
        "size": "choice",
        "one": "fixed",
        "note": "text",
        "sizes": "choices",
        "tags": "lines",
        "grid": "json",
        "place": "group",
        "maybe": "json",
        "either": "integer",
        "anything": "json",
        "limits": "json",
    }


def test_fields_that_nobody_touched_change_nothing():
    assert changed() == {}


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"title": "new"}, {"title": "new"}),
        ({"text": "a\r\nc"}, {"text": "a\nc"}),
        ({"count": " 3 "}, {"count": 3}),
        ({"price": "2"}, {"price": 2}),
        ({"price": "1e3"}, {"price": 1000.0}),
        ({"urgent": "true"}, {"urgent": True}),
        ({"size": '"l"'}, {"size": "l"}),
        ({"note": "now"}, {"note": "now"}),
        ({"note": ""}, {"note": ""}),
        ({"sizes": ['"m"', '"l"']}, {"sizes": ["m", "l"]}),
        ({"sizes": []}, {"sizes": []}),
        ({"tags": "x\r\ny\r\n"}, {"tags": ["x", "y"]}),
        ({"grid": "[[1], []]"}, {"grid": [[1], []]}),
        ({"place__city": "Oslo"}, {"place": {"city": "Oslo", "zip": None}}),
        ({"place__zip": "0150"}, {"place": {"city": "Rome", "zip": "0150"}}),
        ({"maybe": '{"city": "Ulm"}'}, {"maybe": {"city": "Ulm"}}),
        ({"limits": '{"a": 2}'}, {"limits": {"a": 2}}),
    ],
)
def test_what_was_typed_is_a_value_of_its_kind(typed: Any, value: Any):
    assert changed(**typed) == value
    assert all(type(value[name]) is type(changed(**typed)[name]) for name in value)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"count": "1.5"}, "is no whole number, such as 12"),
        ({"count": ""}, "is empty"),
        ({"count": "9" * 5000}, "is too large"),
        ({"price": "cheap"}, "is no number, such as 12 or 1.5"),
        ({"price": "1e999"}, "is too large"),
        ({"price": "NaN"}, "is no number, such as 12 or 1.5"),
        ({"size": '"xl"'}, "is none of the choices"),
        ({"sizes": ['"xl"']}, "none of the choices"),
        ({"grid": "[[1"}, "is not JSON"),
        ({"grid": "[NaN]"}, "NaN is no number of JSON"),
        ({"grid": "[" * 9000}, "is not JSON"),
    ],
)
def test_what_cannot_be_meant_is_said_at_its_field(typed: Any, said: str):
    (path,) = typed

    assert said in changed(**typed)[path]


def test_no_value_is_a_box_of_its_own():
    given = VALUES | {"note": "here"}

    assert changed(given, note=None) == {"note": None}
    assert changed(note=None) == {}


def test_a_value_and_none_at_once_is_asked_about():
    given = VALUES | {"note": "here"}
    sent = [*left_as_it_is(given), (NONE + "note", "1")]
    sent = [(n, "there" if n == PREFIX + "note" else v) for n, v in sent]

    filled = read(fields_of(SCHEMA, given), FormData(sent))

    assert filled.errors == {"note": "either a value, or none"}


@pytest.mark.parametrize("text", ["a\u202eb", "\u200b", "a\x00", "a\rb", "\ud800", "\u3164"])
def test_a_text_that_nobody_sees_all_of_is_written_as_json(text: str):
    [field] = fields_of({"properties": {"t": {"type": "string"}}}, {"t": text})

    assert field.kind == "json"
    assert field.raw.isascii()
    assert json.loads(field.raw) == text


def test_a_number_keeps_its_digits_when_something_else_changes():
    given = VALUES | {"price": 0.1 + 0.2}

    assert changed(given, title="new") == {"title": "new"}


def test_what_the_schema_does_not_name_is_still_a_field():
    fields = fields_of({"properties": {"a": {"type": "string"}}}, {"a": "x", "b": {"c": 1}})

    assert [(field.path, field.kind) for field in fields] == [("a", "text"), ("b", "json")]


def test_a_schema_that_refers_to_itself_ends():
    schema = {
        "$defs": {"N": {"properties": {"n": {"$ref": "#/$defs/N"}}, "type": "object"}},
        "$ref": "#/$defs/N",
        "properties": {"n": {"$ref": "#/$defs/N"}, "loop": {"$ref": "#/$defs/L"}},
    }
    schema["$defs"]["L"] = {"$ref": "#/$defs/L"}

    fields = fields_of(schema, {"n": {}, "loop": 1})

    assert [field.kind for field in fields] == ["group", "json"]


def test_what_was_typed_can_be_shown_again():
    data = FormData([("arg.a", "x\r\ny"), ("arg.b", "1"), ("arg.b", "2"), ("none.c", "1")])

    assert typed_fields(data) == {"a": "x\ny", "b": "1\n2", "none.c": "1"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)  # nothing here is about time
@given(st.dictionaries(st.sampled_from([*VALUES, "strange"]), JSON))
def test_whatever_a_step_holds_is_left_by_a_form_that_nobody_touched(values: dict[str, Any]):
    sent = FormData(left_as_it_is(values))

    filled = read(fields_of(SCHEMA, values), sent)

    assert (filled.values, filled.errors) == ({}, {})
