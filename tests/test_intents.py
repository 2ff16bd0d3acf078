"""The steps by which an agent turns to people: what they ask, and that a reply goes on."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from crew import app_of, settle, state, status
from twelvefold import Agent, App, Ask, AskModel, Effect, Finish, State, Thread, Wait, render
from twelvefold.exceptions import InvalidAnswer
from twelvefold.forms import CHOICES_MAX, Form, free_text, multiple_choice, yes_no
from twelvefold.intents import (
    DoneForNow,
    InputOptions,
    NothingToDo,
    RequestHumanInput,
    RequestMoreInformation,
    ask,
    form_of,
)
from twelvefold.messages import ModelRequest
from twelvefold.schemas import ANTHROPIC, GEMINI, OPENAI, Profile, export, schema_of
from twelvefold.steps import args_of, members, read_step
from twelvefold.testing import MemoryStore, answered, asked, chosen, decision, given, message
from twelvefold.tools import parse

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)

AnyStep = RequestHumanInput | RequestMoreInformation | DoneForNow | NothingToDo


def choosing(*choices: str) -> RequestHumanInput:
    return RequestHumanInput(
        question="Which one?", options=InputOptions(format="multiple_choice", choices=choices)
    )


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep]:
    for ready in state.ready:
        match ready.step:
            case RequestHumanInput() | RequestMoreInformation() as step:
                return ask(step, to="anna")
            case DoneForNow() as step:
                return Finish(step.message, step)
            case NothingToDo() as step:
                return Finish(step.reason, step)
    return Wait() if state.waiting or state.finished else AskModel(render(thread), AnyStep)


AGENT = Agent("bot", decide, AnyStep, owner="olga")


def replying(request: ModelRequest) -> Any:
    if "thanks" in request.text:
        return NothingToDo(reason="A thank-you.")
    if "both" in request.text:
        return DoneForNow(message="Both it is.")
    if "or?" in request.text:
        return RequestHumanInput(question="Which one?", context="There are v1 and v2.")
    return DoneForNow(message="Hello.")


async def told(*texts: str) -> App:
    app = app_of(AGENT, MemoryStore(), replying)
    await app.launch("bot", texts[0], thread_id="t")
    await settle(app)
    for text in texts[1:]:
        await app.send("t", text)
        await settle(app)
    return app


def last_words(app: App) -> str:
    return app.thread("t").events[-1].data["message"]


# What is asked


def test_the_context_stands_below_the_question():
    step = RequestHumanInput(question="Which one?", context="There are v1 and v2.")

    assert ask(step, to="anna", within=HOUR) == Ask(
        step,
        "Which one?\n\nThere are v1 and v2.",
        to="anna",
        within=HOUR,
        form=free_text(),
    )


def test_without_a_context_the_question_stands_alone():
    step = RequestMoreInformation(message="Which invoice?")

    assert ask(step, to="anna").question == "Which invoice?"
    assert ask(RequestHumanInput(question="Why?"), to="anna").question == "Why?"


@pytest.mark.parametrize(
    ("choices", "form"),
    [
        (("v1", "v2"), multiple_choice("v1", "v2")),
        (("v1", "v2", "v1"), multiple_choice("v1", "v2")),
        (("v1", "v1"), free_text()),
        (("v1", " "), free_text()),
        ((), free_text()),
        (tuple(map(str, range(CHOICES_MAX + 1))), free_text()),
    ],
)
def test_only_a_choice_of_several_is_a_choice(choices: tuple[str, ...], form: Form):
    assert form_of(choosing(*choices)) == form


def test_choices_of_another_format_are_none():
    options = InputOptions(format="yes_no", choices=("yes", "no"))

    assert form_of(RequestHumanInput(question="Sure?", options=options)) == yes_no()


async def test_an_answer_that_is_none_of_the_choices_is_refused_and_asked_for_again():
    app = app_of(AGENT, MemoryStore(), lambda _: choosing("v1", "v2"))
    await app.launch("bot", "go", thread_id="t")
    await settle(app)

    with pytest.raises(InvalidAnswer):
        await app.answer("t.s1.1", "answer", by="anna", value="v3")

    assert [row.id for row in app.inbox()] == ["s1.1"]
    await app.answer("t.s1.1", "answer", by="anna", value="v2")
    [chosen] = state(app).all(RequestHumanInput)
    assert chosen.result == "v2"


# What a thread does with them


async def test_a_reply_after_done_for_now_goes_on_with_the_thread():
    app = await told("hello")
    assert (status(app), last_words(app)) == ("finished", "Hello.")

    await app.send("t", "v1 or?")
    await settle(app)

    assert status(app) == "waiting"
    [row] = app.inbox()
    assert row.data["question"] == "Which one?\n\nThere are v1 and v2."
    await app.answer(f"t.{row.id}", "answer", by="anna", value="both")
    await settle(app)
    assert (status(app), last_words(app)) == ("finished", "Both it is.")
    assert len(state(app).all(DoneForNow)) == 2


async def test_nothing_to_do_contacts_nobody():
    app = await told("hello", "thanks")

    assert (status(app), last_words(app)) == ("finished", "A thank-you.")
    assert app.inbox() == []


def test_the_answer_is_the_result_of_the_step():
    facts = (message("v1 or?"), chosen(choosing("v1", "v2")))
    began = given(*facts, agent=AGENT)
    question = decision(AGENT, began)
    assert isinstance(question, Ask)

    thread = given(asked("anna", question.question), answered("v2"), onto=began, agent=AGENT)

    answer = AGENT.state(thread).last(RequestHumanInput)
    assert answer is not None
    assert answer.result == "v2"


# What a model may write


@pytest.mark.parametrize("profile", [OPENAI, ANTHROPIC, GEMINI], ids=lambda p: p.name)
def test_every_strict_mode_takes_them(profile: Profile):
    assert set(members(AnyStep)) <= set(_texts(export(schema_of(AnyStep), profile).schema))


def test_they_bring_no_words_of_ours():
    assert "description" not in schema_of(AnyStep)


def test_what_a_model_leaves_out_is_the_default():
    text = '{"intent": "request_human_input", "question": "Which one?"}'

    assert parse(text, AnyStep).step == RequestHumanInput(question="Which one?")


@pytest.mark.parametrize("cls", members(AnyStep).values())
def test_they_read_back_as_they_were_written(cls: Any):
    step = choosing("v1", "v2") if cls is RequestHumanInput else parse(_least(cls), cls).step

    assert read_step(cls, args_of(step)) == step


def _texts(node: Any) -> Iterator[str]:
    match node:
        case dict():
            yield from _texts(list(node.values()))
        case list():
            for one in node:
                yield from _texts(one)
        case _:
            yield str(node)


def _least(cls: Any) -> str:
    name = next(name for name in cls.model_fields if name != "intent")
    return f'{{"intent": "{cls.model_fields["intent"].default}", "{name}": "words"}}'
