"""A deploybot: asked in Slack, approved in Slack; it runs what was approved, and nothing else."""

from datetime import timedelta
from pathlib import Path

from actions import Actions, actions
from script import script
from slack_channel import channels
from steps import AnyStep, Dispatch, FindCommit
from tools import dispatch, find_commit, was_dispatched

from twelvefold import Agent, App, Chosen, Prompt, ScriptedModel, State, Thread, render, run
from twelvefold import Approve, AskModel, Choose, Effect, Finish, Settle, Wait
from twelvefold.effects import Tell
from twelvefold.intents import DoneForNow, RequestHumanInput, ask
from twelvefold.policy import role

HERE = Path(__file__).parent
OPS = role("ops")
DAY = timedelta(hours=24)
FAILURES_MAX = 3
ALLOWED = frozenset({"deploy-web.yml", "deploy-api.yml"})
next_step = Prompt(HERE / "next_step.md", context=render)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Actions]:
    for chosen in state.ready:
        forbidden = why_not(chosen.step, state)
        return carry_out(chosen) if forbidden is None else Settle(chosen.step, forbidden)
    if state.waiting or state.finished:
        return Wait()
    done = state.last(DoneForNow)
    if done is not None and not state.unread and done.seq > newest_message(thread):
        return Finish(done.step.message)
    if state.failures_in_a_row >= FAILURES_MAX:
        stuck = "GitHub keeps refusing. What should I do?"
        return Choose(RequestHumanInput(question=stuck, context=state.last_failure))
    return AskModel(next_step(thread=thread), AnyStep)


def newest_message(thread: Thread) -> int:
    return max(event.seq for event in thread.events if event.type == "message_received")


def why_not(step: AnyStep, state: State[AnyStep]) -> str | None:
    """What code forbids before anybody is asked, whatever the model or an edit says."""
    looked_up = [
        one.result_as(dict[str, str])["sha"] for one in state.all(FindCommit) if one.result
    ]
    match step:
        case Dispatch(workflow=file) if file not in ALLOWED:
            return f"refused: {file} is none of {', '.join(sorted(ALLOWED))}"
        case Dispatch(sha=sha) if sha not in looked_up:
            return f"refused: {sha} was not looked up"
        case _:
            return None


def carry_out(chosen: Chosen[AnyStep]) -> Effect[AnyStep, Actions]:
    match chosen.step:
        case FindCommit() as step:
            return run(find_commit, step, retry_safe=True)
        case Dispatch() as step if not chosen.approved:
            return Approve(step, by=OPS, within=DAY)
        case Dispatch() as step:  # GitHub knows no keys: after a cut it is asked what it has begun
            return run(dispatch, step, reconcile=was_dispatched)
        case RequestHumanInput() as step:
            return ask(step, to=OPS, within=DAY)
        case DoneForNow() as step:
            return Tell(step, step.message)  # where the thread began


app = App(
    [Agent("deploybot", decide, AnyStep, deps=lambda tenant: actions, owner=OPS)],
    model=ScriptedModel(script),
    directory=HERE / "people.yaml",
    channels=channels(),
    settles={"local": "high", "slack": "high"},  # our workspace signs people in with two factors
)
