"""The agents whose logs are golden: small, and frozen. Change them only as a user would.

A message is a list of commands, `deploy:v1 look nap:60`; the scripted model chooses one after the
other. `before=True` is the code as it was when some logs were recorded: it breaks, its bank cuts
the line, and the step `rename` has another shape.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Literal

from twelvefold import Agent, Chosen, Limits, ScriptedModel, State, Step, Thread, render, run
from twelvefold.context import parse
from twelvefold.effects import (
    Approve,
    Ask,
    AskModel,
    Call,
    Delegate,
    Effect,
    Finish,
    Sleep,
    Wait,
    WaitFor,
)
from twelvefold.messages import ModelRequest
from twelvefold.policy import Risk

OPS = ["anna", "ben"]
DAY = timedelta(hours=24)

Effects = list[str]
"""The outside world: the key of each effect that took place."""


class Deploy(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str


class Pay(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    euros: int


class Look(Step):
    intent: Literal["look"] = "look"


class Question(Step):
    intent: Literal["question"] = "question"
    text: str


class Nap(Step):
    intent: Literal["nap"] = "nap"
    minutes: int


class Merge(Step):
    intent: Literal["merge"] = "merge"


class Hand(Step):
    intent: Literal["hand"] = "hand"
    task: str


class Rename(Step):
    intent: Literal["rename"] = "rename"
    new_name: str


class RenameBefore(Step):
    intent: Literal["rename"] = "rename"
    name: str


class Break(Step):
    intent: Literal["break"] = "break"


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


Rest = Deploy | Pay | Look | Question | Nap | Merge | Hand | Break | Done
Today = Rest | Rename
Before = Rest | RenameBefore


def deploy(step: Deploy, call: Call[Effects]) -> str:
    call.deps.append(call.key)
    return f"{step.tag} is live"


def pay(step: Pay, call: Call[Effects]) -> str:
    call.deps.append(call.key)
    return f"{step.euros} euros are paid"


def pay_and_lose_the_line(step: Pay, call: Call[Effects]) -> str:
    raise ConnectionError("the line went dead")


def look(step: Look, call: Call[Effects]) -> list[str]:
    call.deps.append(call.key)
    return ["v1", "v2"]


def rename(step: Rename, call: Call[Effects]) -> str:
    call.deps.append(call.key)
    return step.new_name


def agents(effects: Effects, *, before: bool = False) -> list[Agent[Any, Any]]:
    """`crew`, the `child` that it delegates to, and `frugal`, which has a limit."""

    def decide(thread: Thread, state: State[Any]) -> Effect[Any, Effects]:
        if state.ready:
            return carry_out(state.ready[0], before=before)
        if state.waiting or state.finished:
            return Wait()
        return AskModel(lambda: render(thread), steps)

    steps: Any = Before if before else Today
    options: dict[str, Any] = {"deps": lambda tenant: effects, "owner": "olga"}
    return [
        Agent("crew", decide, steps, **options),
        Agent("child", decide, steps, **options),
        Agent("frugal", decide, steps, **options, limits=Limits(steps=2)),
    ]


def carry_out(chosen: Chosen[Any], *, before: bool) -> Effect[Any, Effects]:
    match chosen.step:
        case Deploy() | Pay() | RenameBefore() as step if not chosen.approved:
            return Approve(step, by=OPS, within=DAY)
        case Deploy() as step:
            return run(deploy, step)
        case Pay() as step:
            return run(pay_and_lose_the_line if before else pay, step)
        case Look() as step:
            return run(look, step, retry_safe=True)
        case Rename() as step:
            return run(rename, step)
        case Question(text=text) as step:
            return Ask(step, text, to="anna")
        case Nap(minutes=minutes) as step:
            return Sleep(step, chosen.at + timedelta(minutes=minutes))
        case Merge() as step:
            return WaitFor(step, "merged")
        case Hand(task=task) as step:
            return Delegate(step, "child", task)
        case Break() as step if not before:
            return Finish("mended", step)
        case Done(message=message) as step:
            return Finish(message, step)
        case _:
            raise RuntimeError("broken on purpose")


INTENTS = frozenset(
    {"deploy", "pay", "look", "question", "nap", "merge", "hand", "rename", "break"}
)


def reply(request: ModelRequest) -> dict[str, Any]:
    """The next command of the newest message that has not been chosen yet."""
    commands: Sequence[str] = ()
    done = 0
    stumbled = False
    for tag, body in parse(request.messages[-1].text):
        if tag == "user_message":
            commands, done = str(body["text"] if isinstance(body, dict) else body).split(), 0
        done += tag in INTENTS
        stumbled = stumbled or tag == "error"
    if commands[:1] == ["stumble"]:
        if not stumbled:
            raise ConnectionError("the model went away")
        commands = commands[1:]
    return step_of(commands[done]) if done < len(commands) else DONE


DONE = {"intent": "done_for_now", "message": "all done"}


def step_of(command: str) -> dict[str, Any]:
    intent, _, value = command.partition(":")
    arguments: dict[str, dict[str, Any]] = {
        "deploy": {"tag": value},
        "pay": {"euros": int(value or 0)} if intent == "pay" else {},
        "question": {"text": f"Which {value}?"},
        "nap": {"minutes": int(value or 0)} if intent == "nap" else {},
        "hand": {"task": value.replace("+", " ")},
        "rename": {"name": value},
    }
    return {"intent": intent, **arguments.get(intent, {})}


model = ScriptedModel(reply)
