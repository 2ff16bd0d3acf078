"""People who do not answer: reminders, a deadline that goes to others, an option that answers."""

from datetime import timedelta
from typing import Any, ClassVar, Literal

from bank import Ledger

from twelvefold import (
    Agent,
    App,
    Approve,
    Ask,
    Call,
    Choose,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    run,
)
from twelvefold.directory import Directory
from twelvefold.effects import escalate, rule
from twelvefold.forms import Option
from twelvefold.policy import not_an_initiator, role
from twelvefold.store import EmbeddedStore
from twelvefold.testing import START, Clock, Point

SHORT = timedelta(minutes=10)
END = START + timedelta(minutes=90)
WHO = Directory(roles={"ops": ["anna", "ben"]}, people=["anna", "ben", "olga"], version="1")
LATER = Option("later")


class Refund(Step):
    risk: ClassVar = "high"
    intent: Literal["refund"] = "refund"


class Stamp(Step):
    risk: ClassVar = "medium"
    intent: Literal["stamp"] = "stamp"


class Question(Step):
    intent: Literal["question"] = "question"


AnyStep = Refund | Stamp | Question


def people_app(ledger: Ledger, point: Point, *, store: EmbeddedStore) -> App:
    """A refund that nobody of ops decides, a stamp that a rule approves, a question."""

    def effect(step: Refund | Stamp, call: Call[None]) -> str:
        point(f"before effect of {step.intent}")
        if call.key not in ledger.counts():  # it honours the key
            ledger.add(call.key)
        point(f"after effect of {step.intent}")
        return "done"

    def carry_out(chosen: Any) -> Any:
        match chosen.step:
            case Question() as step:
                return Ask(step, "Now?", to="ben", within=SHORT, on_expiry="later", options=[LATER])
            case step if chosen.approved:
                return run(effect, step, retry_safe=True)
            case Stamp() as step:
                free = rule("stamps are free", True, source=lambda event: None)
                return Approve(step, by="anna", unless=free)
            case step:
                then = escalate(to="olga", within=timedelta(hours=1))
                by, often = not_an_initiator(role("ops")), timedelta(minutes=4)
                return Approve(step, by=by, within=SHORT, on_expiry=then, remind=often)

    def decide(thread: Thread, state: State[AnyStep]) -> Any:
        if state.ready:
            return carry_out(state.ready[0])
        if state.waiting or state.finished:
            return Wait()
        return Finish("done") if state.by_id("s1") else Choose(Refund(), Stamp(), Question())

    agent = Agent("people", decide, AnyStep, owner="olga")
    return App([agent], store=store, directory=WHO, clock=Clock(end=END))
