"""A deploybot that asks anna before it deploys."""

from typing import ClassVar, Literal

from twelvefold import Agent, App, Approve, AskModel, Effect, Finish, ScriptedModel, State
from twelvefold import Step, Thread, Wait, render, run
from twelvefold.messages import ModelRequest


class Deploy(Step):
    risk: ClassVar = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


def deploy(step: Deploy) -> str:
    return f"{step.tag} is live"


def decide(thread: Thread, state: State[Deploy | Done]) -> Effect[Deploy | Done]:
    for chosen in state.ready:
        match chosen.step:
            case Deploy() as step:
                return run(deploy, step) if chosen.approved else Approve(step, by="anna")
            case Done() as step:
                return Finish(step.message, step)
    return Wait() if state.waiting or state.finished else AskModel(render(thread), Deploy | Done)


def reply(request: ModelRequest) -> Deploy | Done:  # stands in for the model: free and offline
    tag = "v2" if "decision: denied" in request.text else "v1"
    return Done(message="It is live.") if "<deploy_result>" in request.text else Deploy(tag=tag)


app = App([Agent("bot", decide, Deploy | Done, owner="anna")], model=ScriptedModel(reply))
