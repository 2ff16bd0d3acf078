"""A decide that is wrong is told where it stands, what it returned, and which steps it left."""

from functools import partial, wraps
from typing import Any, Literal

import pytest

from crew import events, settle
from twelvefold import Agent, App, Choose, Step, Wait, run
from twelvefold.exceptions import WrongDecision
from twelvefold.failures import place_of, raised_in
from twelvefold.plan import no_effect
from twelvefold.testing import MemoryStore, chosen, decision, given, message

pytestmark = pytest.mark.anyio


class Rollback(Step):
    intent: Literal["rollback"] = "rollback"
    tag: str


class Restart(Step):
    intent: Literal["restart"] = "restart"


Steps = Rollback | Restart


def forgets(thread: Any, state: Any) -> Any:
    return None if state.ready else Choose(Rollback(tag="v1"))


PLACE = f"tests/test_wrong_decisions.py, line {forgets.__code__.co_firstlineno}"


async def parked(decide: Any) -> str:
    """Why the thread of an agent with this decide stopped."""
    app = App([Agent("bot", decide, Steps, owner="anna")], store=MemoryStore())
    await app.launch("bot", "go", thread_id="t")
    await settle(app)
    [failed] = events(app, "advance_failed")
    return failed.data["error"]


async def test_a_step_without_a_case_is_named_with_the_place_of_decide():
    assert await parked(forgets) == (
        f"WrongDecision: decide in {PLACE}, returned None while step s1 rollback was ready:"
        " give it a `case`."
    )


def agent(decide: Any) -> Agent[Any, Any]:
    return Agent("bot", decide, Steps, owner="anna")


def why(returned: Any, *facts: Any) -> str:
    bot = agent(lambda *_: returned)
    thread = given(message("go"), *facts, agent=bot)
    return str(no_effect(returned, bot.state(thread), bot)).partition("returned ")[2]


def test_several_steps_are_named_and_not_too_many_of_them():
    two = chosen(Rollback(tag="v1"), Restart())

    assert why(None, two) == (
        "None while steps s1 rollback, s2 restart were ready: give each a `case`."
    )
    assert "s5 restart and 1 more were ready" in why(None, chosen(*[Restart()] * 6))


async def coroutine() -> Wait:
    return Wait()


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "None: return an effect on every path, Wait() where there is nothing to do."),
        (Wait, "Wait itself, which is not an effect: call it, as in Wait()."),
        (Restart(), "a Restart, a step and not an effect: Choose(step) chooses"),
        ([Wait()], "a list, which is not an effect: return All(*effects)"),
        ("deploy!", "'deploy!', which is not an effect."),
        ("x" * 9000, "more characters), which is not an effect."),
    ],
)
def test_what_is_no_effect_is_told_with_what_to_write(returned: Any, words: str):
    assert words in why(returned)


def test_an_async_decide_is_told_to_be_none_and_leaves_nothing_behind():
    assert "must be a plain def" in why(coroutine())


async def test_an_error_in_decide_is_told_with_its_line():
    def looked_up(state: Any) -> Any:
        return {}["tag"]

    def decide(thread: Any, state: Any) -> Any:
        return looked_up(state)

    line = looked_up.__code__.co_firstlineno + 1
    assert await parked(decide) == (f"KeyError: 'tag' (tests/test_wrong_decisions.py, line {line})")


async def test_an_effect_that_cannot_begin_is_told_with_the_place_of_decide():
    def decide(thread: Any, state: Any) -> Any:
        return run(lambda step: None, Restart())

    line = decide.__code__.co_firstlineno
    said = await parked(decide)

    assert said.startswith("NotReady: ")
    assert said.endswith(f"(decide: tests/test_wrong_decisions.py, line {line})")


def test_a_decision_that_is_none_is_no_decision_in_a_test_either():
    bot = agent(forgets)
    thread = given(message("go"), chosen(Restart()), agent=bot)

    with pytest.raises(WrongDecision, match="s1 restart was ready"):
        decision(bot, thread)
    assert decision(agent(lambda *_: Wait()), thread) == Wait()


# Where a function is


class Deciding:
    def __call__(self, thread: Any, state: Any) -> Any:
        raise ValueError("no")

    def decide(self, thread: Any, state: Any) -> Any: ...


@wraps(forgets)
def wrapped(*given: Any) -> Any:
    return forgets(*given)


@pytest.mark.parametrize("function", [forgets, partial(forgets, None), wrapped])
def test_a_function_is_found_through_what_is_wrapped_around_it(function: Any):
    assert place_of(function) == PLACE


def test_a_method_and_an_object_that_can_be_called_have_a_place_too():
    for function, line in ((Deciding().decide, 4), (Deciding(), 1)):
        first = Deciding.__call__.__code__.co_firstlineno - 1
        assert place_of(function) == f"tests/test_wrong_decisions.py, line {first + line}"


def test_what_is_not_written_in_python_has_no_place():
    with pytest.raises(KeyError) as raised:
        {}["tag"]

    assert place_of(len) == ""
    assert raised_in(raised.value, len) == ""
    assert raised_in(raised.value, settle) == ""
    assert raised_in(raised.value, forgets).startswith("tests/test_wrong_decisions.py, line ")
    assert raised_in(ValueError("never raised"), forgets) == ""
