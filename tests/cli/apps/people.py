"""A small application for the command line: it asks people in every form there is."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from twelvefold import (
    Agent,
    App,
    Approve,
    Ask,
    Choose,
    Effect,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    run,
)
from twelvefold.directory import Directory
from twelvefold.effects import escalate
from twelvefold.forms import Option, json_answer, multiple_choice, yes_no
from twelvefold.policy import By, Risk, at_least, role
from twelvefold.testing import Postbox


class Label(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["label"] = "label"
    label: Literal["billing", "sales"] = "billing"


class Question(Step):
    intent: Literal["question"] = "question"
    about: str


FORMS = {
    "really?": yes_no(),
    "which?": multiple_choice("red", "green", "blue", many=True),
    "how many?": json_answer(int),
}
NextStep = Label | Question


def decide(thread: Thread, state: State[NextStep]) -> Effect[NextStep]:
    if state.finished or state.waiting:
        return Wait()
    if not state.ready:
        said = str(thread.events[0].data["text"])
        if last := state.by_id("s1"):
            return Finish(f"{last.choice or last.result!r}")
        return Choose(Question(about=said)) if said in FORMS else Choose(Label())
    chosen = state.ready[0]
    match chosen.step:
        case Label() as step if not chosen.approved:
            both = str(thread.events[0].data["text"]) == "label it twice"
            by: By = at_least(2, role("ops")) if both else role("ops")
            spam, day = Option("spam", "It is spam"), timedelta(days=1)
            next = escalate(to="cleo", within=day)
            return Approve(step, by=by, options=[spam], within=day, on_expiry=next)
        case Label() as step:
            return run(lambda step: Path("labels").write_text(step.label), step)
        case Question(about=about) as step:
            return Ask(step, about, to="anna", form=FORMS[about])


PEOPLE = Directory(
    roles={"ops": ("anna", "ben")},
    addresses={"anna": {"email": "anna@x.org"}},
    people=("anna", "ben", "cleo", "olga"),
)
app = App(
    [Agent("bot", decide, NextStep, owner="olga")],
    store="threads.db",
    directory=PEOPLE,
    channels=[Postbox("email")],
)
