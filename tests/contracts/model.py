"""What every model must keep. `says(step, usage)` in the subject makes it reply with that JSON."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Literal, Protocol

import pytest

from small import Done, Look
from twelvefold.messages import Message, Model, ModelReply, ModelRequest, Part, message
from twelvefold.schemas import schema_of
from twelvefold.steps import Step
from twelvefold.thread import Json, to_text
from twelvefold.tools import parse

pytestmark = pytest.mark.anyio


class Ship(Step):
    intent: Literal["ship"] = "ship"
    tag: str
    to: list[int]
    weight: float = 1.0
    fast: bool = False
    note: str | None = None


STEPS = Ship | Look | Done
STEP: Json = {
    **{"intent": "ship", "tag": 'v2 "ü" \n', "to": [1, 2]},
    **{"weight": 2.5, "fast": True, "note": None},
}
ASKED = ModelRequest(
    (message("system", "be brief"), Message("user", (Part("a\n", cache=True), Part("b")))),
    schema_of(STEPS),
    thread_id="t1",
    agent="bot",
)


class Subject(Protocol):
    """A model, and how to make it reply so."""

    model: Model

    def says(self, step: Json) -> None: ...


async def test_a_reply_parses_to_the_step_that_was_said(subject: Subject):
    subject.says(STEP)
    reply = await subject.model(ASKED)

    assert isinstance(reply, ModelReply)
    assert parse(reply.text, STEPS).step == Ship.model_validate(STEP)


async def test_a_reply_says_how_it_ended_by_whom_and_for_how_much(subject: Subject):
    subject.says(STEP)
    reply = await subject.model(ASKED)

    assert (reply.finish, reply.attempts) == ("end", ())
    assert reply.model
    assert reply.usage.input >= reply.usage.cache_read + reply.usage.cache_write >= 0
    assert reply.usage.output >= reply.usage.reasoning >= 0


async def test_the_reply_can_be_recorded(subject: Subject):
    subject.says(STEP)
    reply = await subject.model(ASKED)

    assert json.loads(to_text(reply.usage.to_data())) == reply.usage.to_data()


async def test_the_same_request_may_be_asked_again(subject: Subject):
    subject.says(STEP)

    assert (await subject.model(ASKED)).text == (await subject.model(ASKED)).text


async def test_calls_may_overlap(subject: Subject):
    subject.says(STEP)
    replies = await asyncio.gather(*(subject.model(ASKED) for _ in range(3)))

    assert len({reply.text for reply in replies}) == 1


async def test_the_request_is_not_changed(subject: Subject):
    before = ASKED.hash()
    subject.says(STEP)
    await subject.model(ASKED)

    assert ASKED.hash() == before


async def test_what_is_sent_is_known_before_and_is_json(subject: Subject):
    body: Callable[[ModelRequest], Any] | None = getattr(subject.model, "body", None)
    if body is None:
        return  # what it sends is its own

    first = to_text(body(ASKED))
    assert first == to_text(body(ASKED))
    assert all(part.text.strip() in json.dumps(body(ASKED)) for part in ASKED.messages[1].parts)


def test_a_model_for_another_event_loop(subject: Subject):
    """Each command, and each call of `app.sync`, has a loop of its own."""
    subject.says(STEP)
    texts = {asyncio.run(_asked(subject.model)).text for _ in range(2)}

    assert len(texts) == 1


async def _asked(model: Model) -> ModelReply:
    return await model(ASKED)
