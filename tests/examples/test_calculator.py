"""The calculator: the scenarios of the factors page, from the first message to the answer."""

import asyncio
from typing import Any

import pytest
from loading import app_of, approve, deny, example, play, reply

from twelvefold import App
from twelvefold.effects import Approve, AskModel, Finish
from twelvefold.exceptions import AlreadyDecided, InvalidAnswer
from twelvefold.plan import replay
from twelvefold.testing import MemoryStore, chosen, decision, given, message

pytestmark = pytest.mark.anyio

calculator = example("calculator")
[AGENT] = calculator.app.agents.values()
OPERATIONS = {"add", "subtract", "multiply", "divide"}


@pytest.fixture
def app() -> App:
    return app_of(calculator)


async def asked(app: App, text: str, *answers: dict[str, Any]) -> list[Any]:
    await app.launch("calculator", text, thread_id="t")
    return await play(app, *answers)


def results(app: App, thread_id: str = "t") -> list[tuple[str, Any]]:
    events = app.thread(thread_id).events
    return [(e.data["intent"], e.data["result"]) for e in events if e.type == "tool_returned"]


def choices(app: App) -> list[tuple[str, dict[str, Any]]]:
    events = app.thread("t").events
    return [(e.data["intent"], e.data["args"]) for e in events if e.type == "next_step_chosen"]


def last_words(app: App, thread_id: str = "t") -> str:
    return app.thread(thread_id).events[-1].data["message"]


# What is decided


def decided(*facts: Any) -> Any:
    return decision(AGENT, given(*facts, agent=AGENT))


def test_a_message_is_the_models_to_read():
    assert isinstance(decided(message("multiply 3 and 4")), AskModel)


def test_a_division_waits_for_approval():
    assert isinstance(decided(message("go"), chosen(calculator.Divide(a=3, b=4))), Approve)


def test_other_operations_run_at_once():
    assert decided(message("go"), chosen(calculator.Add(a=3, b=4))).name == "calculate"


def test_done_finishes():
    effect = decided(message("go"), chosen(calculator.DoneForNow(message="7")))

    assert isinstance(effect, Finish)


# What happens


async def test_a_chain_of_operations_uses_each_result(app: App):
    text = "multiply 3 and 4, then divide the result by 2 and then add 12"

    assert await asked(app, text, approve()) == []
    assert results(app) == [("multiply", 12), ("divide", 6), ("add", 18)]
    assert last_words(app) == "The answer is 18.0."


async def test_nonsense_is_asked_about_and_an_answer_goes_on(app: App):
    [question] = await asked(app, "multiply 3 and FD*(#F&&")

    assert question.data["intent"] == "request_more_information"
    assert await play(app, reply("lets try 12 instead")) == []
    assert ("multiply", {"a": 3, "b": 12}) in choices(app)
    assert results(app) == [("multiply", 36)]


async def test_a_division_by_zero_is_an_error_event(app: App):
    assert await asked(app, "divide 3 by 0", approve()) == []

    errors = [e.data["error"] for e in app.thread("t").events if e.type == "tool_failed"]
    assert errors == ["ZeroDivisionError: division by zero"]
    assert results(app) == []
    assert "Infinity" not in app.thread("t").to_jsonl()


async def test_a_denial_corrects_the_operation(app: App):
    [contact] = await asked(app, "divide 3 by 4", deny("use 5 instead of 4"))

    assert contact.data["args"] == {"a": 3, "b": 5}
    assert await play(app, approve()) == []
    assert results(app) == [("divide", 0.6)]
    assert last_words(app) == "The answer is 0.6."


async def test_a_reply_continues_the_same_thread(app: App):
    await asked(app, "subtract 2 and 10")
    await app.send("t", "now add 5")

    assert await play(app) == []
    assert results(app) == [("subtract", -8), ("add", -3)]


async def test_an_answer_of_the_wrong_kind_says_what_is_awaited(app: App):
    await asked(app, "divide 3 by 4")

    with pytest.raises(InvalidAnswer, match="awaits approve or deny or edit, not answer"):
        await app.answer("t.s1.1", "answer", by="anna", value="4")
    assert [row.id for row in app.inbox()] == ["s1.1"]


async def test_two_approvals_at_once_give_one_result(app: App):
    await asked(app, "divide 3 by 4")

    both = (app.answer("t.s1.1", "approve", by=name) for name in ("anna", "ben"))
    said = await asyncio.gather(*both, return_exceptions=True)
    await app.run(until_idle=True)
    assert [type(one) for one in said if one is not None] == [AlreadyDecided]
    assert results(app) == [("divide", 0.75)]


async def test_a_fork_before_the_denial_asks_anew(app: App):
    await asked(app, "divide 3 by 4")
    asked_at = app.thread("t").head
    await play(app, deny("use 5 instead of 4"), approve())
    original = app.thread("t").to_jsonl()

    await app.fork("t", asked_at, new_id="fork")
    [contact] = await play(app)
    assert (contact.ref.id, contact.data["args"]) == ("fork", {"a": 3, "b": 4})
    assert await play(app, approve()) == []
    assert last_words(app, "fork") == "The answer is 0.75."
    assert app.thread("t").to_jsonl() == original


async def test_what_was_decided_is_decided_again():
    store = MemoryStore()
    app = app_of(calculator, store=store)
    await asked(app, "divide 3 by 4", deny("use 5 instead of 4"), approve())

    assert replay(app.thread("t"), AGENT) == []
