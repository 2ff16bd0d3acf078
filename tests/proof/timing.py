"""Work that waits for time and for signals, on a virtual clock that ends at 14:30."""

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
    Sleep,
    State,
    Step,
    SyncApp,
    Thread,
    Wait,
    WaitFor,
    run,
)
from twelvefold.schedules import Schedule
from twelvefold.store import EmbeddedStore
from twelvefold.testing import START, Clock, Point

NAP = timedelta(minutes=90)
DEADLINE = timedelta(minutes=10)
END = START + timedelta(minutes=150)


class Signal(Step):
    intent: Literal["await_signal"] = "await_signal"
    name: str


class Nap(Step):
    intent: Literal["nap"] = "nap"


class Question(Step):
    intent: Literal["question"] = "question"


class Deploy(Step):
    risk: ClassVar = "high"
    intent: Literal["deploy"] = "deploy"


class Verify(Step):
    intent: Literal["verify"] = "verify"


AnyStep = Signal | Nap | Question | Deploy | Verify
RELEASE = (Signal(name="merged"), Nap(), Question(), Deploy(), Signal(name="verified"))


def timing_app(ledger: Ledger, point: Point, *, store: EmbeddedStore) -> App:
    """`release` waits in every way there is; `watch` is scheduled hourly and tells it."""

    def effect(step: Deploy | Verify, call: Call[None]) -> str:
        point(f"before effect of {step.intent}")
        if call.key not in ledger.counts():  # it honours the key
            ledger.add(call.key)
        point(f"after effect of {step.intent}")
        if isinstance(step, Verify):
            SyncApp(app).signal("r1", "verified", call.thread_id, key=call.key)
            point("after signal")
        return "done"

    def carry_out(chosen: Any) -> Any:
        match chosen.step:
            case Signal(name=name) as step:
                return WaitFor(step, name)
            case Nap() as step:
                return Sleep(step, chosen.at + NAP)
            case Question() as step:
                return Ask(step, "Is anybody there?", to="anna", within=DEADLINE)
            case Deploy() as step if not chosen.approved:
                return Approve(step, by="anna", within=DEADLINE)
            case step:
                return run(effect, step, retry_safe=True)

    agents = [
        Agent("release", deciding(RELEASE, carry_out), AnyStep, owner="anna"),
        Agent("watch", deciding((Verify(),), carry_out), AnyStep, owner="anna"),
    ]
    hourly = Schedule("hourly", "watch", "0 * * * *", "verify")
    app = App(agents, store=store, schedules=[hourly], clock=Clock(end=END))
    return app


def deciding(steps: tuple[Step, ...], carry_out: Any) -> Any:
    """One step after the other."""

    def decide(_: Thread, state: State[AnyStep]) -> Any:
        if state.ready:
            return carry_out(state.ready[0])
        if state.waiting or state.finished:
            return Wait()
        done = sum(state.by_id(f"s{n}") is not None for n in range(1, len(steps) + 1))
        return Choose(steps[done]) if done < len(steps) else Finish("done")

    return decide
