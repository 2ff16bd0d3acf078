"""Files mails of customers: a model proposes a label, people take it or pick another one."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal, get_args

from postbox import Postbox

from twelvefold import Agent, App, Call, Chosen, Prompt, ScriptedModel, State, Step, Thread, render
from twelvefold import Approve, AskModel, Choose, Effect, Finish, Wait, run
from twelvefold.forms import Option
from twelvefold.intents import RequestHumanInput, ask

HERE = Path(__file__).parent
SUPPORT = ["anna", "ben"]
FOUR_HOURS = timedelta(hours=4)
Label = Literal["billing", "bug", "feature", "spam"]
LABELS: Mapping[object, Label] = {label: label for label in get_args(Label)}
UNSORTED = Option("unsorted", title="Leave it in the inbox", interactive=False)
next_step = Prompt(HERE / "next_step.md", context=render)


class File(Step):
    intent: Literal["file"] = "file"
    label: Label
    why: str


AnyStep = File | RequestHumanInput


class ApiError(Exception):
    """What the mailbox refused, in few words."""


def file(step: File, call: Call[Postbox]) -> str:
    """The mail is the thread's own: no model can name another one."""
    _, body = call.deps.modify(call.thread_id, add=step.label)
    if error := body.get("error"):
        raise ApiError(f"{error['code']} {error['status']}: {error['message']}")
    return f"filed as {step.label}"


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Postbox]:
    if state.ready:
        return carry_out(state.ready[0])
    if state.waiting or state.finished:
        return Wait()
    said = state.last(File), state.last(RequestHumanInput)
    newest = max((one for one in said if one is not None), key=lambda one: one.seq, default=None)
    if newest is None or state.unread:
        return AskModel(next_step(thread=thread), AnyStep)
    unanswered = newest.status == "denied" and isinstance(newest.step, RequestHumanInput)
    if newest.choice == UNSORTED.name or unanswered:
        return Finish("It stays in the inbox.")
    if label := LABELS.get(
        newest.choice or newest.answer
    ):  # a person said which: no model is asked
        return Choose(File(label=label, why="A person picked it."))
    if isinstance(newest.step, File) and newest.status == "returned":
        return Finish(f"It is {newest.result}.")
    return AskModel(next_step(thread=thread), AnyStep)


def carry_out(chosen: Chosen[AnyStep]) -> Effect[AnyStep, Postbox]:
    match chosen.step:
        case File() as step if chosen.by == "model" and not chosen.approved:
            others = [Option(label, title=f"File as {label}") for label in LABELS.values()]
            options = [option for option in others if option.name != step.label]
            return Approve(
                step,
                by=SUPPORT,
                within=FOUR_HOURS,
                on_expiry=UNSORTED.name,  # nobody answered: nothing is filed
                options=[*options, UNSORTED],
            )
        case File() as step:
            return run(file, step, retry_safe=True)  # a label is there, or it is not
        case RequestHumanInput() as step:
            return ask(step, to=SUPPORT, within=FOUR_HOURS)


postbox = Postbox(HERE / "postbox.db")
app = App(
    [Agent("support", decide, AnyStep, deps=lambda tenant: postbox, owner=SUPPORT)],
    model=ScriptedModel.from_file(HERE / "script.yaml"),
)
