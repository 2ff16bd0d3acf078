"""Several models as one, and a person in the place of a model."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from models.openai_replies import says
from models.server import Vendor, failed
from small import Deploy, Done, Look
from twelvefold.exceptions import ConfigurationError, ModelFailed, UnusableModel
from twelvefold.messages import Attempt, ModelReply, ModelRequest, message
from twelvefold.models.composed import OUTAGES, fallback, name_of, round_robin
from twelvefold.models.human import human
from twelvefold.models.openai import OpenAIModel
from twelvefold.models.scripted import ScriptedModel
from twelvefold.schemas import schema_of

pytestmark = pytest.mark.anyio

STEP = '{"intent":"look"}'
ASKED = ModelRequest((message("user", "hi"),), schema_of(Look | Done), thread_id="t1")


class Fails:
    """A model that fails so, and counts its calls."""

    def __init__(self, error: Exception, model: str = "broken") -> None:
        self.error, self.model, self.calls = error, model, 0

    async def __call__(self, request: ModelRequest) -> ModelReply:
        self.calls += 1
        raise self.error


def replies(name: str) -> Any:
    async def model(request: ModelRequest) -> ModelReply:
        return ModelReply(STEP, model=name)

    return model


@pytest.mark.parametrize("reason", sorted(OUTAGES))
async def test_the_next_model_replies_when_one_is_out(reason: str):
    tries = (Attempt("slow", 429), Attempt("slow", 429))
    reply = await fallback(
        Fails(ModelFailed(reason, "slow", attempts=tries), "a"),
        Fails(ConnectionError("down"), "b"),
        replies("c"),
    )(ASKED)

    assert (reply.text, reply.model) == (STEP, "c")
    assert [attempt.model for attempt in reply.attempts] == ["a", "a", "b"]


@pytest.mark.parametrize(
    "error",
    [
        ModelFailed("bad_request", "no"),
        UnusableModel("no key"),
        ValueError("a fault of the user's"),
    ],
)
async def test_what_is_no_outage_ends_the_call(error: Exception):
    other = Fails(ValueError())

    with pytest.raises(type(error)):
        await fallback(Fails(error), other)(ASKED)
    assert other.calls == 0


async def test_when_all_are_out_the_last_failure_names_all_attempts():
    with pytest.raises(ModelFailed) as raised:
        await fallback(
            Fails(ModelFailed("timeout", "late"), "a"), Fails(ModelFailed("unavailable", "x"), "b")
        )(ASKED)

    assert raised.value.reason == "unavailable"
    assert [attempt.model for attempt in raised.value.attempts] == ["a", "b"]


async def test_a_fallback_of_real_models_shows_the_body_of_the_first(vendor: Vendor):
    first = OpenAIModel("first", base_url=vendor.url, tries_max=1)
    both = fallback(first, OpenAIModel("second", base_url=vendor.url))
    vendor.will(failed(503), says(STEP))
    reply = await both(ASKED)

    assert both.body(ASKED) == first.body(ASKED)
    assert [body["model"] for body in vendor.bodies] == ["first", "second"]
    assert [(one.model, one.status) for one in reply.attempts] == [("first", 503)]


def turn(number: int, thread: str = "t1") -> ModelRequest:
    return ModelRequest((message("user", "hi"),), thread_id=thread, turn=number)


async def test_each_turn_has_another_model_and_always_the_same_one():
    both = round_robin(replies("a"), replies("b"))
    again = round_robin(replies("a"), replies("b"))
    names = [(await both(turn(n))).model for n in range(1, 5)]

    assert names in (["a", "b"] * 2, ["b", "a"] * 2)
    assert [(await again(turn(n))).model for n in range(1, 5)] == names


async def test_threads_begin_at_different_models():
    both = round_robin(replies("a"), replies("b"))

    assert {(await both(turn(1, f"t{n}"))).model for n in range(20)} == {"a", "b"}


def test_round_robin_shows_the_body_of_the_turns_model():
    both = round_robin(OpenAIModel("a"), OpenAIModel("b"))

    assert both.body(turn(1))["model"] != both.body(turn(2))["model"]
    assert not hasattr(round_robin(OpenAIModel("a"), replies("b")), "body")


@pytest.mark.parametrize("compose", [fallback, round_robin])
def test_a_composition_of_nothing_is_refused(compose: Callable[..., Any]):
    with pytest.raises(ConfigurationError, match="at least one"):
        compose()


@pytest.mark.parametrize("compose", [fallback, round_robin])
def test_only_a_composition_of_offline_models_is_offline(compose: Callable[..., Any]):
    offline = ScriptedModel([Look()])

    assert compose(offline, offline).offline
    assert not compose(offline, OpenAIModel("a")).offline


def test_a_model_has_the_name_of_the_one_within():
    assert name_of(fallback(OpenAIModel("gpt"))) == "Fallback"
    assert name_of(OpenAIModel("gpt")) == "gpt"


# A person


class Typist:
    """Types these lines; then the input has ended."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.read_of, self.said = list(lines), list[str](), list[str]()

    def read(self, prompt: str) -> str:
        self.read_of.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    def model(self) -> Any:
        return human(read=self.read, say=self.said.append)


STEPS = schema_of(Deploy | Look | Done)


async def typed(*lines: str, schema: str | None = STEPS, text: str = "hi") -> tuple[Any, Typist]:
    typist = Typist(*lines)
    reply = await typist.model()(ModelRequest((message("user", text),), schema))
    return reply, typist


async def test_a_person_picks_the_step_and_fills_in_its_arguments():
    reply, typist = await typed("1", "v2", '{"force": true}')

    assert json.loads(reply.text) == {"intent": "deploy", "tag": "v2", "flags": {"force": True}}
    assert (reply.model, typist.lines) == ("human", [])
    assert any("deploy(tag, flags)" in line for line in typist.said)


async def test_a_step_may_be_named_and_what_has_a_default_left_out():
    reply, _ = await typed("look", "")

    assert json.loads(reply.text) == {"intent": "look"}


async def test_what_is_wrong_is_asked_again():
    reply, typist = await typed("9", "deploy", "v2", "not json", "[]", "deploy", "v3", "")

    assert json.loads(reply.text) == {"intent": "deploy", "tag": "v3"}
    said = "\n".join(typist.said)
    assert "none of 1 to 3" in said
    assert "not JSON" in said
    assert "not right" in said


async def test_a_value_without_variants_is_typed_as_json():
    reply, _ = await typed("many", "3", schema=schema_of(int))

    assert reply.text == "3"


async def test_without_a_schema_the_line_is_the_reply():
    reply, _ = await typed("just text", schema=None)

    assert reply.text == "just text"


async def test_what_a_person_reads_cannot_steer_the_terminal():
    _, typist = await typed("look", "", text="a\x1b[2J\u202eb")

    assert "a\\x1b[2J\\u202eb" in typist.said


async def test_without_a_person_the_thread_parks():
    with pytest.raises(UnusableModel, match="at a terminal"):
        await typed()
