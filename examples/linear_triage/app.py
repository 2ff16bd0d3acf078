"""Sorts a new issue in: code fetches, a model sorts, people approve what closes an issue."""

import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

from script import script
from steps import AnyStep, BotStep, Comment, Fetch, MarkDuplicate, Source, UpdateIssue
from tools import comment, fetch, mark_duplicate, passes, update_issue, was_commented
from tracker import Tracker
from wiring import channels

from twelvefold import Agent, App, Chosen, Prompt, ScriptedModel, State, Thread, render, run
from twelvefold import All, Approve, AskModel, Choose, Effect, Finish, Settle, Wait
from twelvefold.context import menu
from twelvefold.effects import One
from twelvefold.intents import DoneForNow, RequestHumanInput, ask

HERE = Path(__file__).parent
TEAM = ["anna", "ben"]
DAY = timedelta(hours=24)
FAILURES_MAX = 3
RESULT_CHARS_MAX = 240
NAME = re.compile(r"[A-Z]+-\d+")


def context(thread: Thread) -> str:
    """Long descriptions cut, and errors hidden once they are resolved; the log keeps all of it."""
    events = menu.hide_resolved_errors(thread.events)
    return render(menu.squash_results(events, chars_max=RESULT_CHARS_MAX, keep_last=0))


next_step = Prompt(HERE / "next_step.md", context=context)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Tracker]:
    if state.ready:
        return All(*map(carry_out, state.ready))  # three fetches at once
    if state.waiting or state.finished:
        return Wait()
    if (name := NAME.search(thread.events[0].data["text"])) is None:
        return Finish("Which issue? Say, for example: triage ENG-8")
    if not (fetched := state.all(Fetch)):
        return Choose(*(Fetch(source=source) for source in get_args(Source)))
    if (needless := why_not(name[0], fetched[0])) and not state.model_calls:
        return Finish(needless)
    if state.failures_in_a_row >= FAILURES_MAX:
        stuck = "The tracker keeps refusing. What should I do?"
        return Choose(RequestHumanInput(question=stuck, context=state.last_failure))
    done = state.last(DoneForNow)
    if done is not None and not state.unread and done.seq > newest_message(thread):
        return Finish(done.step.message)
    return AskModel(next_step(thread=thread, name=name[0]), BotStep)


def newest_message(thread: Thread) -> int:
    return max(event.seq for event in thread.events if event.type == "message_received")


def why_not(name: str, issues: Chosen[Fetch]) -> str | None:
    """Why no model needs to be asked. What could not be read may well need one."""
    found = [] if issues.result is None else issues.result_as(list[dict[str, object]])
    states = {issue["id"]: issue["state"] for issue in found}
    if not states or states.get(name) == "triage":
        return None
    return f"{name} needs no triage: {states.get(name, 'there is no such issue')}."


def carry_out(chosen: Chosen[AnyStep]) -> One[AnyStep, Tracker]:
    match chosen.step:
        case Fetch() as step:
            return run(fetch, step, retry_safe=True)  # one that fails is an error that is read
        case UpdateIssue() as step:  # the same values once more change nothing
            return run(update_issue, step, retry_safe=True, attempts=3, transient=passes)
        case Comment() as step:  # twice would be two, so after a cut it is looked for
            return run(comment, step, reconcile=was_commented)
        case MarkDuplicate() as step if not chosen.approved:
            return Approve(step, by=TEAM, within=DAY)
        case MarkDuplicate() as step:
            return run(mark_duplicate, step, retry_safe=True, attempts=3, transient=passes)
        case RequestHumanInput() as step:
            return ask(step, to=TEAM, within=DAY)
        case DoneForNow() as step:
            return Settle(step)


tracker = Tracker(HERE / "tracker.db")
app = App(
    [Agent("triage", decide, AnyStep, deps=lambda tenant: tracker, owner=TEAM)],
    model=ScriptedModel(script),
    directory=HERE / "people.yaml",
    channels=channels(),
    # At this machine's terminal anything; by a signed reply what can be opened again.
    settles={"local": "high", "signed_in": "high", "email": "medium"},
)
