"""An office that asks people in every way there is. The first word of a message picks the way."""

import re
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from twelvefold import (
    Agent,
    Approve,
    Ask,
    AskModel,
    Choose,
    Delegate,
    Finish,
    Step,
    Wait,
    render,
    run,
)
from twelvefold.effects import Sleep, WaitFor
from twelvefold.forms import Option, free_text, json_answer, multiple_choice, yes_no
from twelvefold.messages import ModelRequest
from twelvefold.policy import Risk

DESK = ["anna", "ben"]
DAY = timedelta(hours=24)
LONG = "\n".join(f"{n:>3}  row of a long list of goods that nobody cut" for n in range(1, 41))
FORGED = "v1\u202egpj.exe\u200b <script>document.title = 'owned'</script> </dd>"
SPAM = Option("spam", title="That is spam", description="It ends here.", prompt_fill="No customer.")
LATER = Option("next_week", title="Ask me next week")


class Refund(Step):
    """Money back for an order."""

    risk: ClassVar[Risk] = "high"
    intent: Literal["refund"] = "refund"
    thought: str = ""
    order: int
    euros: float = Field(ge=0, le=10_000)
    currency: Literal["EUR", "USD"] = "EUR"
    customer: str
    notify: bool = True
    note: str | None = None
    tags: list[str] = Field(default_factory=list[str])


class Label(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["label"] = "label"
    text: str
    label: Literal["bug", "billing", "praise"] = "bug"


class Note(Step):
    intent: Literal["note"] = "note"
    text: str


class Wire(Step):
    """It fails in a way that leaves open whether anything happened."""

    risk: ClassVar[Risk] = "high"
    intent: Literal["wire"] = "wire"
    euros: int


class Question(Step):
    intent: Literal["question"] = "question"
    text: str


class Reserve(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["reserve"] = "reserve"
    room: str


class ReserveSeats(Step):
    """What `Reserve` became in a later version: an old call is no longer whole."""

    risk: ClassVar[Risk] = "medium"
    intent: Literal["reserve"] = "reserve"
    room: str
    seats: int


class Nap(Step):
    intent: Literal["nap"] = "nap"


class Merge(Step):
    intent: Literal["merge"] = "merge"


class Errand(Step):
    intent: Literal["errand"] = "errand"
    task: str


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str


class Visit(BaseModel):
    """An answer with fields."""

    city: str
    nights: int = Field(ge=1, le=30)
    breakfast: bool = False


Steps = Refund | Label | Note | Wire | Question | Nap | Merge | Errand | Done
BEGINS: dict[str, Step] = {
    "refund": Refund(
        thought="The parcel was lost; the rules say refund.",
        order=7,
        euros=90.5,
        customer="Zo\u00eb M\u00fcller",
        tags=["lost", "vip"],
    ),
    "label": Label(text="Your app eats my invoices"),
    "note": Note(text="The printer is on fire"),
    "long": Note(text=LONG),
    "forged": Note(text=FORGED),
    "wire": Wire(euros=400),
    "nap": Nap(),
    "merge": Merge(),
    "errand": Errand(task="label"),
    "text": Question(text="Which supplier?\n\nThe last one went out of business."),
    "yes": Question(text="Shall we reopen the shop?"),
    "one": Question(text="Which day?"),
    "many": Question(text="Which toppings?"),
    "json": Question(text="Where do you travel?"),
}
BEGINS |= {"ask": BEGINS["text"], "plan": BEGINS["one"], "book": BEGINS["json"]}

FIRST_WORD = re.compile(r"^(?:text: )?['\"]?(\w+)", re.MULTILINE)
"""Of the first line that a person wrote."""

FORMS = {
    "Which supplier?\n\nThe last one went out of business.": free_text(),
    "Shall we reopen the shop?": yes_no(),
    "Which day?": multiple_choice("monday", "tuesday", "friday"),
    "Which toppings?": multiple_choice("cheese", "olives", "anchovies", many=True),
    "Where do you travel?": json_answer(Visit),
}


def wire(step: Wire) -> str:
    raise TimeoutError("the bank did not answer")


def decide(thread: Any, state: Any) -> Any:
    if state.ready:
        return carry_out(state.ready[0])
    if state.waiting or state.finished:
        return Wait()
    return AskModel(lambda: render(thread), Steps)


def carry_out(chosen: Any) -> Any:
    match chosen.step:
        case Refund() as step if not chosen.approved:
            return Approve(step, by=DESK, within=DAY, options=[SPAM, LATER])
        case Label() | Note() | Wire() as step if not chosen.approved:
            return Approve(step, by=DESK)
        case Refund() | Label() | Note() as step:
            return run(lambda step: f"{step.intent} is done", step)
        case Wire() as step:
            return run(wire, step)
        case Question(text=text) as step:
            return Ask(step, text, to=DESK, form=FORMS[text], within=DAY)
        case _:
            return carry_on(chosen)


def carry_on(chosen: Any) -> Any:
    match chosen.step:
        case Nap() as step:
            return Sleep(step, chosen.at + DAY)
        case Merge() as step:
            return WaitFor(step, "merged")
        case Errand() as step:
            return Delegate(step, "desk", step.task)
        case Done() as step:
            return Finish(step.message, step)
        case _:
            raise LookupError("a desk without a drawer for this")


def reply(request: ModelRequest) -> Any:
    """The model: it begins as the message says, and is done when that is over."""
    text = request.text
    if "_result>" in text or "<human_response>" in text or "<error>" in text:
        return Done(message="That is all.")
    word = next(found[1] for found in FIRST_WORD.finditer(text) if found[1] in BEGINS)
    return BEGINS[word]


def reserves(step_type: type[Step]) -> Agent[Any, Any]:
    """The agent of before, or of after, the change of its only step."""

    def decide(thread: Any, state: Any) -> Any:
        if state.ready:
            return Approve(state.ready[0].step, by=DESK)
        return Wait() if state.waiting else Choose(Reserve(room="blue"))

    return Agent("rooms", decide, step_type, owner="anna")


def broken(thread: Any, state: Any) -> Any:
    raise LookupError("no drawer for this letter")


desk = Agent("desk", decide, Steps, owner=DESK)
breaks = Agent("breaks", broken, Done, owner="anna")
