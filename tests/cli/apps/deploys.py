"""A small application that the command-line tests run: it deploys, asks, sleeps, waits and breaks.

The scripted model does what the input names: `deploy v1`, `ask`, `sleep`, `wait`, `spoil`, `cut`.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.context import render
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
    run,
)
from twelvefold.messages import ModelRequest
from twelvefold.models.scripted import ScriptedModel
from twelvefold.policy import Risk
from twelvefold.state import Chosen, State
from twelvefold.steps import Step
from twelvefold.thread import Thread


class Deploy(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str
    options: dict[str, list[int]] = {}


class AskHuman(Step):
    intent: Literal["ask_human"] = "ask_human"
    question: str


class Nap(Step):
    intent: Literal["nap"] = "nap"


class Await(Step):
    intent: Literal["await_merge"] = "await_merge"


class Spoil(Step):
    intent: Literal["spoil"] = "spoil"


class Hand(Step):
    intent: Literal["hand"] = "hand"
    task: str


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


NextStep = Deploy | AskHuman | Nap | Await | Spoil | Hand | Done


def deploy(step: Deploy, call: Call[object]) -> str:
    if step.tag == "cut":
        raise ConnectionError("the line went dead")
    print(f"deploying {step.tag}")
    return f"{step.tag} is live"


def decide(thread: Thread, state: State[NextStep]) -> Effect[NextStep]:
    if state.ready:
        return carry_out(state.ready[0])
    if state.waiting or state.finished:
        return Wait()
    return AskModel(lambda: prompt(thread), NextStep)


def prompt(thread: Thread) -> str:
    return os.environ.get("DEPLOYS_PROMPT", "") + render(thread)


def carry_out(chosen: Chosen[NextStep]) -> Effect[NextStep]:
    match chosen.step:
        case Deploy() as step if not chosen.approved:
            return Approve(step, by=["anna", "ben"], within=timedelta(hours=24))
        case Deploy() as step:
            return run(deploy, step)
        case AskHuman(question=question) as step:
            return Ask(step, question, to="anna")
        case Nap() as step:
            return Sleep(step, datetime(2999, 1, 1, tzinfo=UTC))
        case Await() as step:
            return WaitFor(step, "merged")
        case Spoil():
            if os.environ.get("DEPLOYS_FIXED"):
                return Finish("fixed", chosen.step)
            raise RuntimeError("spoiled on purpose")
        case Hand(task=task) as step:
            return Delegate(step, "bot", task)
        case Done(message=message) as step:
            return Finish(message, step)


def reply(request: ModelRequest) -> BaseModel:
    """What the scripted model chooses: by the newest thing that it reads."""
    text = request.text
    first = text.split("\n")[1]
    if any(tag in text for tag in ("_result>", "<error>")):
        return Done(message="all done")
    if "decision: denied" in text:
        return Deploy(tag="v2")
    word, _, rest = first.partition(" ")
    steps: dict[str, BaseModel] = {
        "deploy": Deploy(tag=rest or "v1", options={"ports": [80, 81]}),
        "ask": AskHuman(question="Which tag?"),
        "sleep": Nap(),
        "wait": Await(),
        "spoil": Spoil(),
        "hand": Hand(task=rest),
    }
    return steps.get(word, Done(message=f"{first}?"))


AGENT = Agent("bot", decide, NextStep, owner="anna")
app = App([AGENT], model=ScriptedModel(reply))
