"""Plain values by a JSON Schema, answers of any form, levels, repairs, and what a stream shows."""

from datetime import date
from typing import Any, Literal

import pytest
from offer import Crew, DeployBackend, DoneForNow, ListPods
from pydantic import BaseModel

from twelvefold.exceptions import StepRefused
from twelvefold.steps import Step
from twelvefold.tools import parse, parse_answer, peek, steps_from_json_schema

POINT = {
    "type": "object",
    "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
    "required": ["x", "y"],
    "additionalProperties": False,
}
NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
COLOUR = {"type": "string", "enum": ["RED", "DARK_GREEN"]}


def value_of(reply: str, schema: Any) -> Any:
    return parse(reply, steps_from_json_schema(schema)).step


def reason(reply: str, schema: Any) -> str:
    with pytest.raises(StepRefused) as caught:
        value_of(reply, schema)
    return caught.value.reason


@pytest.mark.parametrize(
    ("reply", "schema", "value"),
    [
        ('{"x": 1, "y": 2.5}', POINT, {"x": 1, "y": 2.5}),
        ("Here: {X: 1, 'y': \"2\"}", POINT, {"x": 1, "y": 2}),
        ('{"next_step": {"x": 1, "y": 2}}', POINT, {"x": 1, "y": 2}),
        ('{"name": "n", "more": [1]}', NAMED, {"name": "n", "more": [1]}),
        ('{"name": "n"}', {"anyOf": [POINT, NAMED]}, {"name": "n"}),
        ("dark green", COLOUR, "DARK_GREEN"),
        ('{"next_step": "red"}', COLOUR, "RED"),
        ("True", {"type": "boolean"}, True),
        ("[1, 2,]", {"type": "array", "items": {"type": "integer"}}, [1, 2]),
        ('{"next_step": [1]}', {"type": "array", "items": {"type": "integer"}}, [1]),
        ("any words", {"type": "string"}, "any words"),
        ('"quoted"', {"type": "string"}, '"quoted"'),
        ("null", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None),
    ],
)
def test_a_schema_reads_plain_values(reply: str, schema: Any, value: Any):
    assert value_of(reply, schema) == value


@pytest.mark.parametrize(
    ("reply", "schema", "why"),
    [
        ('{"x": 1}', POINT, "invalid"),
        ('{"x": 1, "y": 2, "z": 3}', POINT, "invalid"),
        ('{"x": 1, "y": 2} {"x": 1, "y": 3}', POINT, "ambiguous"),
        ('{"x": 1, "y": 2', POINT, "truncated"),
        ("1", POINT, "invalid"),
        ('{"x": 1, "y": 2} {"x": 1}', POINT, "ambiguous"),
        ("either red or dark green", COLOUR, "not_json"),
        ("not red", COLOUR, "not_json"),
        ("<error>[1]</error>", {"type": "array"}, "quoted"),
        ("<think>[1]", {"type": "array"}, "truncated"),
        ("[1, 2", {"type": "array"}, "truncated"),
        ("one two", {"type": "array", "items": {"type": "string"}}, "not_json"),
        ("true or false", {"type": "boolean"}, "not_json"),
    ],
)
def test_what_a_schema_does_not_clearly_read_is_refused(reply: str, schema: Any, why: str):
    assert reason(reply, schema) == why


def test_the_tools_of_a_server_are_steps_with_a_tag():
    steps = steps_from_json_schema([{"name": "move", "inputSchema": POINT}])

    parsed = parse('{"name": "Move", "arguments": {"x": 1, "y": 2}}', steps)

    assert parsed.step == {"intent": "move", "x": 1, "y": 2}
    assert parsed.repairs == ("name and arguments unwrapped", "Move read as move")


def test_a_field_may_be_written_under_another_name():
    schema = {
        "type": "object",
        "properties": {
            "first": {"type": "string", "x-alias": "prénom"},
            "size": {"enum": ["S", "L"], "x-enum-aliases": {"S": "petit", "L": "grand"}},
        },
        "required": ["first", "size"],
        "additionalProperties": False,
    }

    assert value_of('{"PRENOM": "Zoé", "size": "Petit"}', schema) == {"first": "Zoé", "size": "S"}
    assert reason('{"first": "Zoé", "size": "petit"}', schema) == "invalid"
    assert reason('{"prénom": "Zoé", "size": "S"}', schema) == "invalid"


@pytest.mark.parametrize(("age", "right"), [(3, True), (-1, False)])
def test_an_assert_of_a_schema_is_kept(age: int, right: bool):
    rules = [
        {"level": "assert", "name": "born", "expr": "this >= 0"},
        {"level": "check", "name": "adult", "expr": "this >= 18"},
    ]
    schema = {"type": "object", "properties": {"age": {"type": "integer", "x-constraints": rules}}}

    if right:
        assert value_of(f'{{"age": {age}}}', schema) == {"age": age}
    else:
        assert reason(f'{{"age": {age}}}', schema) == "invalid"


def test_an_assert_that_cannot_be_evaluated_is_not_met():
    rules = [{"level": "assert", "name": "odd", "expr": "this.__class__.__mro__[1]"}]

    assert reason("1", {"type": "integer", "x-constraints": rules}) == "invalid"


def test_variants_that_mean_two_things_are_ambiguous():
    one = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    other = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}
    flags = {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}

    assert value_of('{"a": 1}', {"anyOf": [one, other]}) == {"a": 1}
    assert value_of('"true"', flags) is True
    assert reason('"yes"', flags) == "invalid"


class Report(BaseModel):
    title: str
    due: date | None = None


def test_an_answer_may_have_any_form():
    assert parse_answer('```json\n{"Title": "a", "due": "2026-11-20"}\n```', Report) == {
        "title": "a",
        "due": "2026-11-20",
    }
    assert parse_answer('{"next_step": 3}', int) == 3
    assert parse_answer(" as it is ", str) == " as it is "
    assert parse_answer("low", Literal["low", "high"]) == "low"
    with pytest.raises(StepRefused, match="truncated"):
        parse_answer('{"title": "a', Report)
    with pytest.raises(StepRefused, match="invalid"):
        parse_answer('{"title": "a", "extra": 1}', Report)


@pytest.mark.parametrize(
    "reply",
    [
        '{"intent": "list_pods"}',
        '{"next_step": {"intent": "list_pods"}}',
        '{"intent": "list_pods", "namespace": null}',
    ],
)
def test_the_strict_level_takes_what_providers_send(reply: str):
    assert parse(reply, Crew, level="strict").step == ListPods()


@pytest.mark.parametrize(
    "reply",
    [
        '```json\n{"intent": "list_pods"}\n```',
        'Next: {"intent": "list_pods"}',
        '{"intent": "LIST_PODS"}',
        '{"Intent": "list_pods"}',
        '[{"intent": "list_pods"}]',
        '{"name": "list_pods", "arguments": {}}',
        '{"intent": "list_pods",}',
        '{"intent": "deploy_backend", "tag": "v1", "Dry_Run": true}',
        '{"intent": "scale", "service": "api", "replicas": "3"}',
        '{"intent": "set_priority", "level": "LOW"}',
        '{"intent": "send_mail", "to": "a", "subject": "s", "body": "b"}',
    ],
)
def test_the_strict_level_repairs_nothing_else(reply: str):
    assert parse(reply, Crew).step
    with pytest.raises(StepRefused):
        parse(reply, Crew, level="strict")


def test_every_repair_is_said_once():
    reply = "I list them:\n```json\n{\n'Intent': 'LIST_PODS', // all\n'namespace': None,}\n```"

    assert parse(reply, Crew).repairs == (
        "code fence removed",
        "text around the JSON removed",
        "other quotes than double ones",
        "comments removed",
        "True, False or None as in Python",
        "trailing comma removed",
        "key Intent read as intent",
        "LIST_PODS read as list_pods",
        "namespace: null read as the default",
    )


class Open(Step):
    """A step whose nested model is silent about more fields."""

    class Where(BaseModel):
        host: str

    intent: Literal["open"] = "open"
    where: Where


def test_a_field_that_pydantic_would_ignore_is_refused():
    assert parse('{"intent": "open", "where": {"host": "a"}}', Open).step == Open(
        where=Open.Where(host="a")
    )
    with pytest.raises(StepRefused, match=r"where\.port"):
        parse('{"intent": "open", "where": {"host": "a", "port": 1}}', Open)


def test_a_refusal_names_all_that_is_wrong():
    with pytest.raises(StepRefused) as caught:
        parse('{"intent": "refund", "amount": "much", "when": 1}', Crew)

    assert all(word in caught.value.detail for word in ("order", "amount", "when"))


@pytest.mark.parametrize(
    ("so_far", "shown"),
    [
        ("", None),
        ("I look", None),
        ("<think>{", None),
        ('<think>{}</think>{"intent": "done', {"intent": "done"}),
        ('```json\n{"intent": "done_for_now", "message": "All', {"message": "All"}),
        ('{"a": [1, 2, {"b": tr', {"a": [1, 2, {}]}),
        ('{"a": 1}\n```\nThat is', {"a": 1}),
        ("{intent: x", None),
        ('{"a": NaN', None),
        ('{"next_step": {"intent": "x", "to": "an', {"intent": "x", "to": "an"}),
        ('{"next_step": {"a": 1}, "thought": "so', {"next_step": {"a": 1}, "thought": "so"}),
    ],
)
def test_a_stream_can_be_shown_as_far_as_it_came(so_far: str, shown: Any):
    seen = peek(so_far)

    assert seen == shown or shown.items() <= seen.items()


def test_equal_steps_are_one_whatever_they_leave_out():
    short = '{"intent": "deploy_backend", "tag": "v1"}'
    long = '{"tag": "v1", "intent": "deploy_backend", "dry_run": false}'

    assert parse(f"{short}\n{long}", Crew).step == DeployBackend(tag="v1")


def test_a_text_that_ends_where_nobody_can_doubt_it_needs_no_brace():
    assert parse('{"intent": "done_for_now", "message": "All."', Crew) == parse(
        '{"intent": "done_for_now", "message": "All."', DoneForNow
    )
