"""The agent that brings production back: small, with its own limits. A release delegates to it."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from cluster import Cluster, cluster

from twelvefold import Agent, Call, Chosen, Limits, Prompt, State, Step, Thread, render, run
from twelvefold import Approve, Ask, AskModel, Effect, Finish, Wait

OPS = ["anna", "ben"]
roll_back = Prompt(Path(__file__).parent / "roll_back.md", context=render)


class Restore(Step):
    risk: ClassVar = "high"
    intent: Literal["restore"] = "restore"
    tag: str


class RequestHumanInput(Step):
    intent: Literal["request_human_input"] = "request_human_input"
    question: str


class DoneForNow(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


AnyStep = Restore | RequestHumanInput | DoneForNow


def restore(step: Restore, call: Call[Cluster]) -> str:
    return call.deps.deploy(step.intent, step.tag, key=call.key)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Cluster]:
    if state.ready:
        return carry_out(state.ready[0])
    if state.waiting or state.finished:
        return Wait()
    return AskModel(roll_back(thread=thread), AnyStep)


def carry_out(chosen: Chosen[AnyStep]) -> Effect[AnyStep, Cluster]:
    match chosen.step:
        case Restore() as step if not chosen.approved:
            return Approve(step, by=OPS, within=timedelta(hours=1))
        case Restore() as step:
            return run(restore, step, retry_safe=True)
        case RequestHumanInput() as step:
            return Ask(step, step.question, to=OPS)
        case DoneForNow() as step:
            return Finish(step.message, step)


rollback = Agent(
    "rollback", decide, AnyStep, deps=lambda tenant: cluster, owner=OPS, limits=Limits(steps=5)
)
