"""A summary step asks the model for text, and the summary then stands for what it sums up."""

from typing import Literal

import pytest

from twelvefold import (
    Agent,
    App,
    AskModel,
    Choose,
    Chosen,
    Effect,
    Finish,
    ScriptedModel,
    Settle,
    State,
    Step,
    Thread,
    Wait,
    render,
)
from twelvefold.context import parse
from twelvefold.effects import Compact
from twelvefold.messages import ModelReply, ModelRequest
from twelvefold.plan import replay
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio
NOTES_MAX = 3


class Note(Step):
    intent: Literal["note"] = "note"
    text: str


class Summarize(Step):
    intent: Literal["summarize"] = "summarize"
    upto: int


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


Offered = Note | Done
AnyStep = Offered | Summarize


class Verdict(Step):
    intent: Literal["verdict"] = "verdict"
    good: bool


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep]:
    if state.ready:
        return carry_out(state.ready[0], thread)
    if state.waiting or state.finished:
        return Wait()
    summary = state.last(Summarize)
    if summary is not None and summary.step.upto > state.compacted:
        return Compact(summary.step.upto, summary.result)
    fresh = [note for note in state.all(Note) if note.seq > state.compacted]
    if len(fresh) >= NOTES_MAX:
        return Choose(Summarize(upto=thread.head))
    return AskModel(lambda: render(thread), Offered)


def carry_out(chosen: Chosen[AnyStep], thread: Thread) -> Effect[AnyStep]:
    match chosen.step:
        case Note() as step:
            return Settle(step, step.text)
        case Summarize() as step:
            prompt = "Sum up:\n" + render(thread.upto(step.upto))
            return AskModel(prompt, answer=str, step=step)
        case Done() as step:
            return Finish(step.message, step)


async def model(request: ModelRequest) -> ModelReply:
    if request.text.startswith("Sum up"):
        return ModelReply(f"{request.text.count('<note>')} notes were taken")
    if "notes were taken" in request.text:
        return ModelReply('{"intent": "done_for_now", "message": "enough"}')
    return ModelReply('{"intent": "note", "text": "x"}')


async def test_a_summary_stands_for_what_it_sums_up() -> None:
    app = App([Agent("noter", decide, AnyStep, owner="anna")], store=MemoryStore(), model=model)

    await app.launch("noter", "take notes", thread_id="t")
    await app.run(until_idle=True)

    thread = app.thread("t")
    types = [event.type for event in thread.events]
    assert types[-5:] == [
        "next_step_chosen",
        "model_answered",
        "context_compacted",
        "next_step_chosen",
        "finished",
    ]
    assert parse(render(thread))[0] == ("summary", "3 notes were taken")
    assert "<note>" not in render(thread)
    assert render(thread.upto(7)).count("<note>") == 3  # the log keeps what the context dropped
    assert app.state(thread).model_calls == 5
    assert replay(thread, app.agents["noter"]) == []


@pytest.mark.parametrize("upto", [0, 2])
async def test_a_compaction_of_nothing_or_of_the_future_parks(upto: int) -> None:
    def compacting(_: Thread, state: State[Done]) -> Effect[Done]:
        return Compact(upto, "all")

    agent = Agent("bad", compacting, Done, owner="anna")
    app = App([agent], store=MemoryStore(), model=model)
    await app.launch("bad", "go", thread_id="t")
    await app.run(until_idle=True)

    assert app.threads()[0].status == "failed"
    assert f"Compact(upto={upto})" in app.state(app.thread("t")).failed


async def test_an_answer_of_another_shape_is_a_counted_failure() -> None:
    replies = iter(["good I think", '{"intent": "verdict", "good": true}'])

    async def judge(_: ModelRequest) -> ModelReply:
        return ModelReply(next(replies))

    def judging(thread: Thread, state: State[Done]) -> Effect[Done]:
        if state.ready:
            return AskModel("Is it good?", answer=Verdict, step=state.ready[0].step)
        if state.last(Done) is None:
            return Choose(Done(message="?"))
        return Wait() if state.finished else Finish("judged")

    agent = Agent("judge", judging, Done, owner="anna")
    app = App([agent], store=MemoryStore(), models={"judge": judge})
    await app.launch("judge", "go", thread_id="t")
    await app.run(until_idle=True)

    state = app.state(app.thread("t"))
    types = [event.type for event in app.thread("t").events]
    assert types.count("model_failed") == 1
    done = state.last(Done)
    assert done is not None
    assert done.result_as(Verdict) == Verdict(good=True)
    assert state.finished


async def test_a_script_may_answer_too() -> None:
    model = ScriptedModel(lambda request: {"good": "Schema" not in request.text})

    reply = await model(ModelRequest(()))

    assert reply.text == '{"good":true}'
