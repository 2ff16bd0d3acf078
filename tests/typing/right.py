"""What a user's types say: the normal run of pyright checks every `assert_type` here."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, assert_type

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.call import Call
from twelvefold.context.provenance import outside
from twelvefold.directory import NAMES_ALONE, people_of
from twelvefold.effects import (
    All,
    Approve,
    Ask,
    AskModel,
    Choose,
    Effect,
    Run,
    Source,
    Wait,
    escalate,
    rule,
    run,
)
from twelvefold.forms import Option, json_answer
from twelvefold.messages import Model
from twelvefold.models.anthropic import AnthropicModel
from twelvefold.models.composed import fallback, round_robin
from twelvefold.models.gemini import GeminiModel
from twelvefold.models.human import human
from twelvefold.models.openai import OpenAIModel
from twelvefold.models.scripted import ScriptedModel
from twelvefold.policy import all_of, any_of, at_least, not_an_initiator, role
from twelvefold.state import Chosen, State
from twelvefold.steps import Step
from twelvefold.thread import Thread


class Tags(BaseModel):
    names: list[str]


class Deps:
    region = "eu"


class ListTags(Step):
    intent: Literal["list_tags"] = "list_tags"


class Deploy(Step):
    intent: Literal["deploy"] = "deploy"
    tag: str


NextStep = ListTags | Deploy


def list_tags(step: ListTags) -> Tags:
    return Tags(names=[])


async def deploy(step: Deploy, call: Call[Deps]) -> str:
    return assert_type(call.deps, Deps).region


def record(step: Deploy, call: Call[Deps]) -> None:
    call.connection.execute("insert into deploys values (?)", (step.tag,))


def anything(step: Step, call: Call[object]) -> None: ...


def looks(state: State[NextStep]) -> None:
    assert_type(state.ready, Sequence[Chosen[NextStep]])
    assert_type(state.ready[0].step, NextStep)
    assert_type(state.last(Deploy), Chosen[Deploy] | None)
    assert_type(state.all(Deploy), Sequence[Chosen[Deploy]])
    assert_type(state.ready[0].result_as(Tags), Tags)
    assert_type(state.ready[0].result_as(list[str] | None), list[str] | None)


assert_type(run(deploy, Deploy(tag="v1")), Run[Deps])
assert_type(run(list_tags, ListTags()), Run[object])
assert_type(run(anything, ListTags()), Run[object])
assert_type(run(record, Deploy(tag="v1"), in_transaction=True), Run[Deps])


def decide(thread: Thread, state: State[NextStep]) -> Effect[NextStep, Deps]:
    if state.waiting:
        return Wait()
    if not state.ready:
        return AskModel("", NextStep)
    if len(state.ready) > 1:
        return All(*[carry_out(chosen) for chosen in state.ready])
    return carry_out(state.ready[0])


def carry_out(chosen: Chosen[NextStep]) -> Run[Deps]:
    match chosen.step:
        case ListTags() as step:
            return run(list_tags, step)
        case Deploy() as step:
            return run(deploy, step, retry_safe=True)


def without_deps(thread: Thread, state: State[NextStep]) -> Effect[NextStep]:
    step = state.ready[0].step
    return run(list_tags, step) if isinstance(step, ListTags) else Choose(ListTags())


with_deps = Agent("bot", decide, NextStep, deps=lambda tenant: Deps(), owner="anna")
assert_type(with_deps, Agent[NextStep, Deps])
assert_type(Agent("bot", without_deps, NextStep, owner="anna"), Agent[NextStep, None])


def asked(chosen: Chosen[NextStep], source: Source) -> Effect[NextStep]:
    step, hour = chosen.step, timedelta(hours=1)
    two = not_an_initiator(at_least(2, role("ops"), all_of("anna", any_of("ben", role("qa")))))
    then = escalate(to=["olga", role("leads")], within=hour)
    if isinstance(step, ListTags):
        form = json_answer(Tags)
        return Ask(step, "?", to="anna", form=form, options=[Option("later")], on_expiry="later")
    cheap = rule("cheap", step.tag == "v1", source=source)
    return Approve(
        step, by=two, within=hour, on_expiry=then, unless=cheap, withdraw_on_message=True
    )


ways = [App([with_deps], directory=way) for way in ("people.yaml", NAMES_ALONE, people_of(None))]
source: Source = outside(trusted=["slack:*"])
vendors: list[Model] = [OpenAIModel("m"), AnthropicModel("m"), GeminiModel("m")]
composed: list[Model] = [fallback(*vendors), round_robin(*vendors), human(), ScriptedModel([])]
App([with_deps], models={"large": vendors[0], "small": composed[0]})
