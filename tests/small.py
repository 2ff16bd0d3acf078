"""A small deploybot that the tests of the core share: its steps, tools, decide and agent."""

from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from twelvefold.agent import Agent
from twelvefold.context import render
from twelvefold.effects import (
    Approve,
    Ask,
    AskModel,
    Choose,
    Delegate,
    Effect,
    Finish,
    Sleep,
    Wait,
    WaitFor,
    run,
)
from twelvefold.policy import Risk
from twelvefold.state import Chosen, State
from twelvefold.steps import Step
from twelvefold.testing import START
from twelvefold.thread import Thread

HOUR = timedelta(hours=1)


class Deploy(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str
    flags: dict[str, Any] = Field(default_factory=dict[str, Any])


class Look(Step):
    intent: Literal["look"] = "look"
    what: str = "tags"


class Question(Step):
    intent: Literal["question"] = "question"
    text: str


class Nap(Step):
    intent: Literal["nap"] = "nap"


class Merge(Step):
    intent: Literal["merge"] = "merge"


class Hand(Step):
    intent: Literal["hand"] = "hand"
    task: str


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


NextStep = Deploy | Look | Question | Nap | Merge | Hand | Done


def deploy(step: Deploy) -> str:
    return f"{step.tag} is live"


def look(step: Look) -> list[str]:
    return ["v1", "v2"]


def decide(thread: Thread, state: State[NextStep]) -> Effect[NextStep]:
    if state.ready:
        return carry_out(state.ready[0])
    if state.waiting or state.finished:
        return Wait()
    if state.failures_in_a_row >= 3:
        return Choose(Question(text="Tools keep failing. What should I do?"))
    return AskModel(lambda: render(thread), NextStep)


def carry_out(chosen: Chosen[NextStep]) -> Effect[NextStep]:
    match chosen.step:
        case Deploy() as step if not chosen.approved:
            return Approve(step, by=["anna", "ben"], within=HOUR)
        case Deploy() as step:
            return run(deploy, step)
        case Look() as step:
            return run(look, step, retry_safe=True)
        case Question() as step:
            return Ask(step, step.text, to="anna")
        case Nap() as step:
            return Sleep(step, START + HOUR)
        case Merge() as step:
            return WaitFor(step, "merged")
        case Hand() as step:
            return Delegate(step, "child", step.task)
        case Done(message=message) as step:
            return Finish(message, step)


AGENT = Agent("bot", decide, NextStep, owner="olga")
