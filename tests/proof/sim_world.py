"""The world of a simulation: an agent that does what messages say, and a book of what took effect.

A message is the name of a step: `pay-1` is asked about, repeatable and keyed; `ship-1` is asked
about, not keyed and not repeatable; `look-1` is harmless; `nap-1` sleeps; `await-1` waits for the
signal of that name; `model-1` leaves the choice to a model.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Literal

from sim_processes import Process, clock

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.context import render
from twelvefold.effects import All, Approve, AskModel, Choose, Sleep, Wait, WaitFor, run
from twelvefold.models.scripted import ScriptedModel
from twelvefold.policy import Risk
from twelvefold.state import State
from twelvefold.steps import Step
from twelvefold.store import Ref
from twelvefold.thread import Thread

PEOPLE = ("anna", "ben")
OWNER = "olga"
NAP = timedelta(seconds=20)


class Pay(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    to: str


class Ship(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["ship"] = "ship"
    to: str


class Look(Step):
    intent: Literal["look"] = "look"
    to: str


class Nap(Step):
    intent: Literal["nap"] = "nap"
    to: str


class Await(Step):
    intent: Literal["await"] = "await"
    to: str


AnyStep = Pay | Ship | Look | Nap | Await
CLASSES: dict[str, type[Step]] = {
    cls.model_fields["intent"].default: cls for cls in (Pay, Ship, Look, Nap, Await)
}


@dataclass
class Book:
    """What took effect outside of the store, and what people said. Nobody in a process reads it,
    but the bank of `pay`, which honours keys."""

    paid: dict[str, tuple[Ref, str]] = field(default_factory=dict[str, tuple[Ref, str]])
    shipped: Counter[tuple[Ref, str]] = field(default_factory=Counter[tuple[Ref, str]])
    shipped_keys: set[str] = field(default_factory=set[str])
    leave: set[tuple[Ref, str]] = field(default_factory=set[tuple[Ref, str]])
    unbidden: list[str] = field(default_factory=list[str])

    def use(self, ref: Ref, to: str) -> None:
        if (ref, to) not in self.leave:
            self.unbidden.append(f"{to} in {ref.id}")


def app_of(process: Process, book: Book) -> App:
    """The application of one process; its tools and its model are where it may die."""
    scripted = ScriptedModel(lambda _: Look(to="what the model chose"))

    async def model(request: Any) -> Any:
        await process.pause("before model call")
        reply = await scripted(request)
        await process.pause("after model call")
        return reply

    effect = _effect(process, book)

    def decide(thread: Thread, state: State[AnyStep]) -> Any:
        if state.ready:
            return All(*(_carried_out(chosen, effect, process) for chosen in state.ready))
        texts = [e.data["text"] for e in thread.events if e.type == "message_received"]
        rest = texts[sum(len(state.all(cls)) for cls in CLASSES.values()) :]
        if not rest:
            return Wait()
        if rest[0].startswith("model"):
            return AskModel(lambda: render(thread), AnyStep)
        names = rest[: next((n for n, name in enumerate(rest) if name.startswith("model")), None)]
        return Choose(*(CLASSES[name.partition("-")[0]](to=name) for name in names))

    agent = Agent("bot", decide, AnyStep, owner=OWNER, limits=None)
    store: Any = process.store
    return App([agent], store=store, model=model, clock=clock)


def _carried_out(chosen: Any, effect: Any, process: Process) -> Any:
    match chosen.step:
        case Look() as step:
            return run(effect, step, retry_safe=True)
        case Nap() as step:
            return Sleep(step, chosen.at + NAP)
        case Await(to=name) as step:
            return WaitFor(step, name)
        case step if not chosen.approved:
            return Approve(step, by=PEOPLE, within=process.chance.within)
        case step:
            return run(effect, step, retry_safe=isinstance(step, Pay))


def _effect(process: Process, book: Book) -> Any:
    async def effect(step: Any, call: Any) -> str:
        ref, sight = Ref(call.tenant, call.thread_id), process.sight
        await process.pause(f"before {step.intent} {step.to}")
        if isinstance(step, Pay):
            book.use(ref, step.to)
            book.paid.setdefault(call.key, (ref, step.to))
        elif isinstance(step, Ship):
            book.use(ref, step.to)
            book.shipped[ref, step.to] += 1
            book.shipped_keys.add(call.key)
        sight.did["effects"] += 1
        await process.pause(f"after {step.intent} {step.to}")
        sight.returned.append((process, (ref, call.key.rpartition("/")[2]), call.attempt))
        return f"done {step.to}"

    return effect
