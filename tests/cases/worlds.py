"""The calculator's steps and a decide in few lines, for tests of cases."""

from pathlib import Path
from typing import ClassVar, Literal

from twelvefold import (
    Agent,
    Approve,
    Ask,
    AskModel,
    Effect,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    render,
    run,
)
from twelvefold.cases import Case, Verdict, cases_in, judge, stand
from twelvefold.messages import ModelReply


class Add(Step):
    intent: Literal["add"] = "add"
    a: int
    b: int
    note: str = ""


class Deploy(Step):
    risk: ClassVar = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str
    regions: tuple[str, ...] = ()


class AskPerson(Step):
    intent: Literal["ask_person"] = "ask_person"
    question: str


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


AnyStep = Add | Deploy | AskPerson | Done


def add(step: Add) -> int:
    return step.a + step.b


def deploy(step: Deploy) -> str:
    return f"{step.tag} is live"


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep]:
    for chosen in state.ready:
        match chosen.step:
            case Add() as step:
                return run(add, step)
            case Deploy() as step:
                return run(deploy, step) if chosen.approved else Approve(step, by=["anna", "ben"])
            case AskPerson() as step:
                return Ask(step, step.question, to="anna")
            case Done() as step:
                return Finish(step.message, step)
    return Wait() if state.waiting or state.finished else AskModel(render(thread), AnyStep)


BOT = Agent("bot", decide, AnyStep, owner="anna")
AGENTS = {"bot": BOT}


def one(text: str, *, folder: Path = Path()) -> Case:
    [case] = cases_in(text, file="x.cases.yaml", folder=folder)
    return case


def verdict(text: str, *, reply: str | None = None, folder: Path = Path()) -> Verdict:
    """Judge the one case of a text with the reply it holds, or this one."""
    case = one(text, folder=folder)
    said = case.reply if reply is None else reply
    return judge(stand(case, AGENTS), None if said is None else ModelReply(said))
