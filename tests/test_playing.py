"""A run that does not come out as the test says is told with the state of its thread."""

import asyncio
from typing import Any, ClassVar, Literal

import pytest

from twelvefold import (
    Agent,
    App,
    Approve,
    AskModel,
    Delegate,
    Finish,
    ScriptedModel,
    Step,
    Wait,
    run,
)
from twelvefold.effects import Sleep, WaitFor
from twelvefold.exceptions import UnknownAgent
from twelvefold.intents import DoneForNow
from twelvefold.policy import Risk
from twelvefold.testing import START, MemoryStore, ended, play, told

YES = {"decision": "approve"}


class Deploy(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str


Steps = Deploy | DoneForNow


def deploy(step: Deploy) -> str:
    return f"{step.tag} is live"


def decide(thread: Any, state: Any) -> Any:
    for chosen in state.ready:
        match chosen.step:
            case Deploy() as step:
                return run(deploy, step) if chosen.approved else Approve(step, by=["anna", "ben"])
            case DoneForNow() as step:
                return Finish(step.message, step)
    return Wait() if state.waiting or state.finished else AskModel("next?", Steps)


def bot(decide: Any = decide) -> App:
    model = ScriptedModel([Deploy(tag="v1"), DoneForNow(message="live")])
    return App([Agent("bot", decide, Steps, owner="anna")], store=MemoryStore(), model=model)


def test_a_run_ends_with_its_message():
    app = bot()

    assert ended(app, asyncio.run(play(app, "bot", "deploy v1", YES, by="anna"))) == "live"


def test_an_answer_may_say_whose_it_is():
    app = bot()
    asyncio.run(play(app, "bot", "deploy v1", {**YES, "by": "ben"}, by="anna"))

    [closed] = [e for e in app.thread("t1").events if e.type == "contact_closed"]
    assert closed.data["by"] == "ben"


def test_a_run_that_waits_is_told_with_whom_it_waits_for_and_the_last_events():
    app = bot()
    asyncio.run(play(app, "bot", "deploy v1", by="anna"))

    with pytest.raises(AssertionError) as failed:
        ended(app)

    said = str(failed.value)
    assert said.startswith("t1 has not finished.\nt1 (bot) is waiting\n")
    assert """t1.s1.1 asks anna or ben, kind 'approval': deploy {"tag":"v1"}""" in said
    assert "the last of 3 events:" in said
    assert """     2 next_step_chosen {"intent":"deploy","args":{"tag":"v1"}""" in said


def test_an_answer_to_nothing_is_told_with_the_state_of_the_thread():
    with pytest.raises(AssertionError, match=r"answer 2, .*'approve'.*there are 0") as failed:
        asyncio.run(play(bot(), "bot", "deploy v1", YES, YES, by="anna"))

    assert "t1 (bot) is finished" in str(failed.value)


def test_a_decide_that_fails_is_told():
    app = bot(lambda thread, state: None)
    asyncio.run(play(app, "bot", "deploy v1", by="anna"))

    with pytest.raises(AssertionError, match="is failed: WrongDecision: decide in tests/"):
        ended(app)


def test_an_agent_that_is_not_there_is_told_as_that():
    with pytest.raises(UnknownAgent, match="no agent 'nobody'"):
        asyncio.run(play(bot(), "nobody", "go", by="anna"))


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (lambda step: Sleep(step, START.replace(year=2999)), "waits for timer:s1"),
        (lambda step: WaitFor(step, "merged"), "waits for signal:merged"),
        (lambda step: Delegate(step, "asking", "x"), "t1.s1.s1.1 asks anna or ben"),
    ],
)
def test_every_kind_of_wait_is_told(wait: Any, words: str):
    def waiting(thread: Any, state: Any) -> Any:
        if state.ready:
            return wait(state.ready[0].step)
        return Wait() if state.waiting else AskModel("next?", Steps)

    asking = Agent("asking", decide, Steps, owner="anna")
    parent = Agent("bot", waiting, Steps, owner="anna")
    model = ScriptedModel(lambda request: Deploy(tag="v1"))
    app = App([parent, asking], store=MemoryStore(), model=model)
    asyncio.run(play(app, "bot", "go", by="anna"))

    assert words in told(app)


def test_long_events_are_cut_off():
    app = bot()
    asyncio.run(play(app, "bot", "x" * 5000, by="anna"))

    assert max(map(len, told(app).splitlines())) < 300
