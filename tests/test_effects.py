"""Effects as records, and the shape of tools."""

from functools import partial
from typing import Any

import pytest

from small import Deploy, Look, deploy
from twelvefold.call import Call
from twelvefold.effects import All, Choose, Finish, Run, Wait, arity, run
from twelvefold.exceptions import ConfigurationError


def with_call(step: Look, call: Call[None]) -> str:
    return call.key


def with_default(step: Look, retries: int = 3) -> int:
    return retries


def with_rest(step: Look, *more: Any, **words: Any) -> None: ...


class Callable_:
    def __call__(self, step: Look) -> None: ...


@pytest.mark.parametrize(
    ("tool", "count"),
    [
        (deploy, 1),
        (with_call, 2),
        (with_default, 1),
        (with_rest, 1),
        (Callable_(), 1),
        (partial(with_call, call=None), 1),
    ],
)
def test_a_tool_takes_a_step_and_maybe_a_call(tool: Any, count: int):
    assert arity(tool) == count


@pytest.mark.parametrize("tool", [lambda: None, lambda a, b, c: None])
def test_a_tool_of_another_shape_is_refused(tool: Any):
    with pytest.raises(ConfigurationError, match="a tool is f"):
        arity(tool)


def test_a_run_is_named_after_its_tool():
    assert run(deploy, Deploy(tag="v1")).name == "deploy"
    assert run(Callable_(), Look()).name == "Callable_"


def test_effects_are_equal_by_what_they_say():
    assert run(deploy, Deploy(tag="v1")) == Run(deploy, Deploy(tag="v1"), "deploy")
    assert run(deploy, Deploy(tag="v1")) != run(deploy, Deploy(tag="v2"))
    assert All(Choose(Look())) == All(Choose(Look()))
    assert Wait() == Wait() != Finish("")
