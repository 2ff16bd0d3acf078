"""The agent: what it may choose, and `decide`, which says what happens next.

`decide` is a pure function of the log: no clock, no network, no chance. What it returns is carried
out, what came of it is appended to the log, and it is called again, until it returns `Wait`.
"""

from datetime import timedelta
from pathlib import Path

from twelvefold import (
    Approve,
    AskModel,
    Choose,
    Chosen,
    Effect,
    Finish,
    Prompt,
    Settle,
    State,
    Thread,
    Wait,
    render,
    run,
)
from twelvefold.intents import DoneForNow, RequestHumanInput, ask
from twelvefold.policy import role

from cluster import Cluster
from tools import DeployBackend, DeployFrontend, ListReleases, deploy, list_releases

OPS = role("ops")  # who is asked: whoever has this role in people.yaml when they answer
DAY = timedelta(hours=24)
FAILURES_MAX = 3
STUCK = "This keeps failing. What should I do?"

BotStep = (
    DeployBackend | DeployFrontend | RequestHumanInput | DoneForNow
)  # a model may choose these
AnyStep = BotStep | ListReleases  # and for code
next_step = Prompt(Path(__file__).parent / "prompts" / "next_step.md", context=render)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Cluster]:
    for chosen in state.ready:
        forbidden = why_not(chosen.step, state)
        return carry_out(chosen) if forbidden is None else Settle(chosen.step, forbidden)
    if state.waiting or state.finished:
        return Wait()
    if state.failures_in_a_row >= FAILURES_MAX:
        return Choose(RequestHumanInput(question=STUCK, context=state.last_failure))
    if state.last(ListReleases) is None:
        return Choose(ListReleases())  # what the model will need is fetched before it is asked
    return AskModel(next_step(thread=thread), BotStep)


def why_not(step: AnyStep, state: State[AnyStep]) -> str | None:
    """What code forbids before anybody is asked, whatever the model or an edit says."""
    listed = state.last(ListReleases)
    releases = listed.result_as(list[str]) if listed and listed.result else []
    match step:
        case DeployBackend(tag=tag) | DeployFrontend(tag=tag) if tag not in releases:
            return f"refused: {tag} is no release"
        case _:
            return None


def carry_out(chosen: Chosen[AnyStep]) -> Effect[AnyStep, Cluster]:
    match chosen.step:
        case ListReleases() as step:
            return run(list_releases, step, retry_safe=True)
        case DeployBackend() | DeployFrontend() as step if not chosen.approved:
            return Approve(step, by=OPS, within=DAY)
        case DeployBackend() | DeployFrontend() as step:
            return run(deploy, step, retry_safe=True)  # the cluster honours the key
        case RequestHumanInput() as step:
            return ask(step, to=OPS, within=DAY)
        case DoneForNow() as step:
            return Finish(step.message, step)
