"""A small application that the command-line tests run: it deploys, asks, sleeps, waits and breaks.

The scripted model does what the input names: `deploy v1`, `ask`, `sleep`, ...
"""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.context import parse, render
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
from twelvefold.limits import Limits
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
    options: dict[str, list[int]] = Field(default_factory=dict[str, list[int]])


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


class Hang(Step):
    intent: Literal["hang"] = "hang"


class Command(Step):
    intent: Literal["command"] = "command"
    line: str


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


NextStep = Deploy | AskHuman | Nap | Await | Spoil | Hand | Hang | Command | Done


def deploy(step: Deploy, call: Call) -> str:
    if step.tag == "cut":
        raise ConnectionError("the line went dead")
    print(f"deploying {step.tag}")  # noqa: T201 - the command line must keep it off stdout
    return f"{step.tag} is live"


async def hang(step: Hang) -> None:
    Path("hanging").touch()  # noqa: ASYNC240
    await asyncio.sleep(3600)


def command(step: Command) -> list[str]:
    """Run `twelvefold` inside this very run: its exit code and what it says."""
    code = "from twelvefold.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *step.line.split()],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return [str(done.returncode), done.stderr]


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
        case Hang() as step:
            return run(hang, step, retry_safe=True)
        case Command() as step:
            return run(command, step)
        case Hand(task=task) as step:
            return Delegate(step, "bot", task)
        case Done(message=message) as step:
            return Finish(message, step)


OUTCOMES = ("_result>", "<error>", "<signal_received>", "<child_finished>", ": answered")


def reply(request: ModelRequest) -> BaseModel:
    """What the scripted model chooses: by the newest thing that it reads."""
    text = request.text[request.text.index("<") :]
    (_, body), *_ = parse(text)
    first = str(body["text"] if isinstance(body, dict) else body)
    if any(words in text for words in OUTCOMES):
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
        "hang": Hang(),
        "command": Command(line=rest),
    }
    return steps.get(word, Done(message=f"{first}?"))


STOP_GRACE_S = 0.1
"""`hang` ends in no time that it is given."""

LIMITS = Limits(steps=int(os.environ.get("DEPLOYS_CALLS", "20")))
AGENT = Agent("bot", decide, NextStep, owner="anna", limits=LIMITS)
app = App([AGENT], model=ScriptedModel(reply), stop_grace_s=STOP_GRACE_S)
