"""A release: code ships to staging, a model to production; code tests it or has it rolled back."""

import re
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from cluster import Cluster, cluster
from rollback import rollback

from twelvefold import Agent, App, Chosen, Prompt, ScriptedModel, State, Step, Thread
from twelvefold import Approve, Ask, AskModel, Call, Choose, Delegate, Effect, Finish, Settle, Wait
from twelvefold import render, run

HERE = Path(__file__).parent
OPS = ["anna", "ben"]
FAILURES_MAX = 3
SHA = re.compile(r"SHA (\w+)")
next_step = Prompt(HERE / "next_step.md", context=render)


class DeployStaging(Step):
    intent: Literal["deploy_staging"] = "deploy_staging"
    tag: str


class RunE2e(Step):
    intent: Literal["run_e2e"] = "run_e2e"
    environment: Literal["staging", "production"]


class DeployFrontend(Step):
    risk: ClassVar = "high"
    intent: Literal["deploy_frontend_to_prod"] = "deploy_frontend_to_prod"
    tag: str


class DeployBackend(Step):
    risk: ClassVar = "high"
    intent: Literal["deploy_backend_to_prod"] = "deploy_backend_to_prod"
    tag: str


class RollBack(Step):
    intent: Literal["roll_back"] = "roll_back"
    reason: str


class RequestHumanInput(Step):
    intent: Literal["request_human_input"] = "request_human_input"
    question: str


class DoneForNow(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


BotStep = (
    DeployFrontend | DeployBackend | RequestHumanInput | DoneForNow
)  # a model may choose these
AnyStep = BotStep | DeployStaging | RunE2e | RollBack  # and code all of these


def deploy(step: DeployStaging | DeployFrontend | DeployBackend, call: Call[Cluster]) -> str:
    return call.deps.deploy(step.intent, step.tag, key=call.key)


def run_e2e(step: RunE2e, call: Call[Cluster]) -> str:
    return call.deps.e2e(step.environment)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Cluster]:
    if state.ready:
        return carry_out(state.ready[0])
    if state.waiting or state.finished:
        return Wait()
    if state.failures_in_a_row >= FAILURES_MAX:
        stuck = f"Tools keep failing. What should I do?\n\n{state.last_failure}"
        return Choose(RequestHumanInput(question=stuck))
    if (sha := SHA.search(render(thread))) is None:
        return Finish("Which release? Say, for example: deploy SHA 4af9ec0 to production")
    staging, e2e, undone = state.last(DeployStaging), state.last(RunE2e), state.last(RollBack)
    if staging is None or staging.status == "failed":
        return Choose(DeployStaging(tag=sha[1]))
    if e2e is None or (e2e.status == "failed" and e2e.step.environment == "staging"):
        return Choose(RunE2e(environment="staging"))
    done = state.last(DoneForNow)
    if done is None or state.unread:
        return AskModel(next_step(thread=thread), BotStep)
    if e2e.seq < done.seq:
        return Choose(RunE2e(environment="production"))
    if e2e.status == "failed" and (undone is None or undone.seq < e2e.seq):
        return Choose(RollBack(reason=e2e.error or ""))
    return Finish(f"{done.step.message} End-to-end tests: {e2e.result or e2e.error}.")


def carry_out(chosen: Chosen[AnyStep]) -> Effect[AnyStep, Cluster]:
    match chosen.step:
        case DeployFrontend() | DeployBackend() as step if not chosen.approved:
            return Approve(step, by=OPS, within=timedelta(hours=24))
        case DeployStaging() | DeployFrontend() | DeployBackend() as step:
            return run(deploy, step, retry_safe=True)  # the cluster honours the key
        case RunE2e() as step:
            return run(run_e2e, step, retry_safe=True)
        case RollBack() as step:
            return Delegate(step, "rollback", f"Roll back production: {step.reason}")
        case RequestHumanInput() as step:
            return Ask(step, step.question, to=OPS)
        case DoneForNow() as step:
            return Settle(step)


release = Agent("release", decide, AnyStep, deps=lambda tenant: cluster, owner=OPS)
app = App(
    [release, rollback],
    model=ScriptedModel.from_file(HERE / "script.yaml"),
    settles={"local": "high"},  # a person at this machine's terminal may approve anything
)
