"""Nobody asks this agent anything: on workdays it looks what is not deployed, and asks people."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal, get_args

from forge import Forge, forge
from slack_channel import channels

from twelvefold import Agent, App, Call, Chosen, Prompt, ScriptedModel, State, Step, Thread
from twelvefold import All, Approve, Ask, AskModel, Choose, Effect, Finish, Wait
from twelvefold import render, run
from twelvefold.effects import One, Tell
from twelvefold.schedules import Schedule

HERE = Path(__file__).parent
OPS = ["anna", "ben"]
Source = Literal["ci", "diff", "error_rate", "incidents", "on_call"]
next_step = Prompt(HERE / "next_step.md", context=render)


class FindUndeployed(Step):
    intent: Literal["find_undeployed"] = "find_undeployed"


class Fetch(Step):
    intent: Literal["fetch"] = "fetch"
    source: Source


class Deploy(Step):
    risk: ClassVar = "high"
    intent: Literal["deploy"] = "deploy"
    sha: str
    why: str


class AskTeam(Step):
    intent: Literal["ask_team"] = "ask_team"
    question: str


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


BotStep = Deploy | AskTeam | Done  # a model may choose these: it cannot fetch what is there already
AnyStep = BotStep | FindUndeployed | Fetch


def find_undeployed(step: FindUndeployed, call: Call[Forge]) -> object:
    return call.deps.undeployed()


async def fetch(step: Fetch, call: Call[Forge]) -> object:
    return await call.deps.fetch(step.source)


def deploy(step: Deploy, call: Call[Forge]) -> str:
    return call.deps.deploy(step.sha, key=call.key)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Forge]:
    if state.ready:
        return All(*map(carry_out, state.ready))  # five fetches at once
    if state.waiting or state.finished:
        return Wait()
    found, done = state.last(FindUndeployed), state.last(Done)
    if found is None:
        return Choose(FindUndeployed())
    if found.status == "failed" and state.last(AskTeam) is None:
        return Choose(AskTeam(question=f"The commits cannot be read ({found.error}). Look there?"))
    if found.status == "failed" or not found.result:
        return Finish("Everything is deployed." if found.result == [] else "The team knows.")
    if state.last(Fetch) is None:
        return Choose(*(Fetch(source=source) for source in get_args(Source)))
    if done is not None and not state.unread and done.seq > newest_message(thread):
        return Finish(done.step.message)
    return AskModel(next_step(thread=thread), BotStep)


def newest_message(thread: Thread) -> int:
    return max(event.seq for event in thread.events if event.type == "message_received")


def carry_out(chosen: Chosen[AnyStep]) -> One[AnyStep, Forge]:
    match chosen.step:
        case FindUndeployed() as step:
            return run(find_undeployed, step, retry_safe=True)
        case Fetch() as step:
            return run(fetch, step, retry_safe=True)  # one that fails is an error that is read
        case Deploy() as step if not chosen.approved:
            return Approve(step, by=OPS, within=timedelta(hours=8))
        case Deploy() as step:
            return run(deploy, step, retry_safe=True)  # the forge honours the key
        case AskTeam() as step:
            return Ask(step, step.question, to=OPS, within=timedelta(hours=8))
        case Done() as step:
            return Tell(step, step.message, to=OPS)


app = App(
    [Agent("deployer", decide, AnyStep, deps=lambda tenant: forge, owner=OPS)],
    model=ScriptedModel.from_file(HERE / "script.yaml"),
    schedules=[
        Schedule(
            "undeployed",
            "deployer",
            "0 9 * * 1-5",
            "Find commits that are not deployed, and ask whether they may go out.",
            zone="Europe/Berlin",
        )
    ],
    directory=HERE / "people.yaml",
    channels=channels(),
    settles={"local": "high", "slack": "high"},  # our workspace signs people in with two factors
)
