"""A model's text to exactly one step, and any return value to what the log can hold."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, computed_field

from small import Deploy, Look
from twelvefold.attachments import ATTACHMENT_BYTES_MAX, PREVIEW_CHARS_MAX
from twelvefold.encoding import DEPTH_MAX
from twelvefold.exceptions import StepRefused
from twelvefold.steps import Step
from twelvefold.thread import Draft
from twelvefold.tools import (
    RESULT_BYTES_MAX,
    parse,
    parse_answer,
    result_data,
    result_of,
    schema_of,
)

Either = Deploy | Look


def refused(text: str) -> StepRefused:
    with pytest.raises(StepRefused) as caught:
        parse(text, Either)
    return caught.value


def test_a_reply_is_one_step():
    assert parse('{"intent": "deploy", "tag": "v1"}', Either).step == Deploy(tag="v1")


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", "  \n```json \n{}\n ```\n"])
def test_a_code_fence_is_removed_and_said(fence):
    parsed = parse(fence.replace("{}", '{"intent":"look"}'), Either)

    assert (parsed.step, parsed.repairs) == (Look(), ("code fence removed",))


def test_a_wrapped_step_is_unwrapped_and_said():
    parsed = parse('{"next_step": {"intent": "look", "what": "pods"}}', Either)

    assert (parsed.step, parsed.repairs) == (Look(what="pods"), ("next_step unwrapped",))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_json"),
        ("I will deploy v1.", "not_json"),
        ('{"intent": "look"} {"intent": "deploy", "tag": "v1"}', "ambiguous"),
        ('{"intent": "look", "what": NaN}', "not_json"),
        ("[" * 100_000, "too_deep"),
        ("1" * 5_000, "not_json"),
        ('["look"]', "not_an_object"),
        ("3", "not_an_object"),
        ("{}", "unknown_intent"),
        ('{"intent": "drop_database"}', "unknown_intent"),
        ('{"intent": ["look"]}', "unknown_intent"),
        ('{"next_step": {"intent": "look"}, "why": "x"}', "unknown_intent"),
        ('{"next_step": "look"}', "unknown_intent"),
        ('{"intent": "deploy"}', "invalid"),
        ('{"intent": "deploy", "tag": "v1", "force": true}', "invalid"),
        ('{"intent": "deploy", "tag": 5}', "invalid"),
    ],
)
def test_what_is_not_exactly_one_step_is_refused_with_a_reason(text, reason):
    assert refused(text).reason == reason


def test_a_refusal_tells_the_model_what_to_correct():
    assert "'drop' is not one of: deploy, look" in refused('{"intent": "drop"}').detail
    assert "tag: Field required" in refused('{"intent": "deploy"}').detail
    assert len(refused('{"intent": "deploy", "%s": 1}' % ("x" * 5_000)).detail) < 600


class Tag(BaseModel):
    name: str


class Sum(Step):
    intent: Literal["sum"] = "sum"
    a: int | float
    b: list[int | float] = Field(default=[])


def test_a_number_stays_as_it_was_written():
    step = parse('{"next_step": {"intent": "sum", "a": 7.0, "b": [8E0, 7]}}', Sum).step

    assert repr(step) == repr(Sum(a=7.0, b=[8.0, 7]))


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ('{"next_step": null}', Tag | None, None),
        ('{"next_step": null}', int | None, None),
        ('{"next_step": ""}', Annotated[str, Field(max_length=9)], ""),
        ('{"next_step": []}', list[str], []),
        ('{"next_step": false}', bool, False),
        ('{"next_step": 0}', int, 0),
    ],
)
def test_an_answer_in_a_wrapper_may_be_empty(text: str, form: Any, value: Any):
    assert parse_answer(text, form) == value
    assert type(parse_answer(text, form)) is type(value)


@pytest.mark.parametrize("said", ["see [1]", '{"x": 1}', "a[\n", "null", "7", "[1"])
def test_a_text_that_holds_json_is_that_text_where_one_may_be_the_answer(said: str):
    assert parse_answer(json.dumps(said), int | str) == said
    assert parse_answer(json.dumps(said), str | None) == said
    assert parse_answer(json.dumps([said]), list[str]) == [said]


def test_the_schema_is_the_same_bytes_each_time():
    assert schema_of(Either) == schema_of(Deploy | Look)
    assert '"deploy"' in schema_of(Either)


class Broken(BaseModel):
    @computed_field
    @property
    def size(self) -> int:
        raise KeyError("size")


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, None),
        ([Tag(name="v1")], [{"name": "v1"}]),
        ({1: (2, 3)}, {"1": [2, 3]}),
        (2**70, 2**70),
        ("a\ud800\u2028", "a\ud800\u2028"),
        (SecretStr("key"), "**********"),
    ],
)
def test_a_result_is_kept_as_json(value, result):
    assert result_data(value) == {"result": result}


@pytest.mark.parametrize(
    "value", [float("nan"), b"\xff", object(), Broken(), Mute(), {"\ud800": 1}]
)
def test_an_outcome_that_json_cannot_hold_is_not_lost(value: Any):
    data = result_data(value)

    assert data["why"]
    assert isinstance(data["unstorable"], str)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_result_may_be_nested_as_deeply_as_its_event_can_hold():
    deepest = result_of(nested(DEPTH_MAX - 1))

    assert Draft("tool_returned", deepest.text, datetime.now(UTC)).data == deepest.data
    assert "nested more than" in result_of(nested(DEPTH_MAX)).data["why"]


def test_a_value_without_words_is_named_by_its_type():
    assert result_data(Mute())["unstorable"] == "<Mute whose repr raises RuntimeError>"


def test_a_result_that_is_too_large_for_the_log_becomes_an_attachment():
    text = "x" * (RESULT_BYTES_MAX + 1)
    result = result_of(text)

    assert result.content == text.encode()
    assert result.data["attachment"]["size"] == len(text)
    assert result.data["preview"] == "x" * PREVIEW_CHARS_MAX
    assert result.data["chars"] == len(text)


def test_what_is_too_large_for_an_attachment_too_says_how_large():
    result = result_of("x" * (ATTACHMENT_BYTES_MAX + 1))

    assert f"{ATTACHMENT_BYTES_MAX + 1} bytes" in result.data["why"]
    assert result.content is None
