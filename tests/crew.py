"""What the tests of loop, engine and app share: steps, two shapes of agents, gates, a clock."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.context import render
from twelvefold.effects import All, Approve, Ask, AskModel, Choose, Finish, Wait, run
from twelvefold.engine.embedded import EmbeddedEngine
from twelvefold.models.scripted import ScriptedModel
from twelvefold.policy import Risk
from twelvefold.state import Chosen, State
from twelvefold.steps import Step
from twelvefold.store import Append, EmbeddedStore, Ref
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import MemoryStore
from twelvefold.thread import DEFAULT_TENANT, Event, Thread

PATIENCE_S = 20.0
"""Far more than anything here takes; only a defect reaches it."""
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STORES = ("memory", "sqlite")


class Look(Step):
    intent: Literal["look"] = "look"
    at: str = ""


class Pay(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    to: str


class Question(Step):
    intent: Literal["question"] = "question"
    text: str = "Which one?"


class Nap(Step):
    intent: Literal["nap"] = "nap"


class Errand(Step):
    intent: Literal["errand"] = "errand"
    task: str = "buy milk"


class Done(Step):
    intent: Literal["done_for_now"] = "done_for_now"
    message: str = "bye"


Steps = Look | Pay | Question | Nap | Errand | Done
CarryOut = Callable[[Chosen[Any]], Any]


def store_of(kind: str, folder: Path) -> EmbeddedStore:
    return MemoryStore() if kind == "memory" else SqliteStore(folder / "agents.db")


def pipeline(*steps: Step, carry_out: CarryOut, name: str = "crew", **options: Any) -> Agent:
    """Code chooses all the steps, carries them out side by side, and finishes."""

    def decide(_: Thread, state: State[Any]) -> Any:
        if state.ready:
            return All(*map(carry_out, state.ready))
        if state.waiting or state.finished:
            return Wait()
        return Finish("done") if state.by_id("s1") else Choose(*steps)

    return Agent(name, decide, Steps, owner="olga", **options)


def chat(carry_out: CarryOut, *, name: str = "crew", **options: Any) -> Agent:
    """A model chooses one step after the other."""

    def decide(thread: Thread, state: State[Any]) -> Any:
        if state.ready:
            chosen = state.ready[0]
            if isinstance(chosen.step, Done):
                return Finish(chosen.step.message, chosen.step)
            return carry_out(chosen)
        if state.waiting or state.finished:
            return Wait()
        return AskModel(lambda: render(thread), Steps)

    return Agent(name, decide, Steps, owner="olga", **options)


def approved_then(tool: Any, *, by: Any = ("anna", "bob"), **options: Any) -> CarryOut:
    def carry_out(chosen: Chosen[Any]) -> Any:
        return run(tool, chosen.step, **options) if chosen.approved else Approve(chosen.step, by=by)

    return carry_out


def ran_by(tool: Any, **options: Any) -> CarryOut:
    return lambda chosen: run(tool, chosen.step, **options)


def asking(chosen: Chosen[Any]) -> Any:
    return Ask(chosen.step, chosen.step.text, to="anna")


class Gate:
    """A tool that says when it has begun and ends when it is let go."""

    def __init__(self, result: Any = "done") -> None:
        self.result = result
        self.begun, self.let_go = asyncio.Event(), asyncio.Event()
        self.keys: list[str] = []

    async def __call__(self, _: Step, call: Any) -> Any:
        self.keys.append(call.key)
        self.begun.set()
        await self.let_go.wait()
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    async def has_begun(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.begun.wait()


class Ledger:
    """Effects, written down outside of every store; any process may add a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, effect: str) -> None:
        with self.path.open("a") as file:
            file.write(effect + "\n")

    @property
    def effects(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []


class Meddled:
    """A store where something happens just before the commits that hold an event of `type`."""

    def __init__(self, store: Any, type: str, before: Callable[[], Awaitable[None]]) -> None:
        self._store, self._type, self._before = store, type, before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        if any(draft.type == self._type for append in appends for draft in append.drafts):
            await self._before()
        return await self._store.commit(*appends)


def times(count: int, error: Exception) -> Callable[[], Awaitable[None]]:
    """Raise the error `count` times, then no more."""
    left = [None] * count

    async def before() -> None:
        if left:
            left.pop()
            raise error

    return before


class Clock:
    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


def app_of(agents: Agent | Iterable[Agent], store: Any, *replies: Any, **options: Any) -> App:
    """`replies`: the model's steps, or one function of the request."""
    agents = [agents] if isinstance(agents, Agent) else list(agents)
    script = replies[0] if len(replies) == 1 and not isinstance(replies[0], Step) else replies
    return App(agents, store=store, model=ScriptedModel(script), **options)


async def settle(app: App) -> EmbeddedEngine:
    """Let the engine work until nothing is left to do."""
    async with asyncio.timeout(PATIENCE_S):
        return await app.run(until_idle=True)


async def seen(app: App, thread_id: str, type: str, count: int = 1) -> Event:
    """The `count`-th event of this type, as soon as it is in the log."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in app.follow(thread_id):
            count -= event.type == type
            if count == 0:
                return event
    raise AssertionError("follow has no end")


async def ended(task: "asyncio.Task[Any]") -> None:
    """Cancel a task and wait until it is over."""
    task.cancel()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(task, return_exceptions=True)


def types(app: App, thread_id: str = "t") -> list[str]:
    return [event.type for event in app.thread(thread_id).events]


def events(app: App, type: str, thread_id: str = "t") -> list[Event]:
    return [event for event in app.thread(thread_id).events if event.type == type]


def state(app: App, thread_id: str = "t") -> State[Any]:
    return app.state(app.thread(thread_id))


def status(app: App, thread_id: str = "t") -> str:
    return app.store.thread_row(thread_id).status


def ref(thread_id: str = "t", tenant: str = DEFAULT_TENANT) -> Ref:
    return Ref(tenant, thread_id)
