"""The same work by twelvefold, through its public road: launch, run, a rendered prompt per turn.

Prompt hashes, schemas, parsing, the chain and the projections are all in what is measured.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

from benchmarks import work
from benchmarks.measure import Curve, Meter, cold_ms, stored_bytes
from twelvefold import (
    Agent,
    App,
    Approve,
    AskModel,
    Choose,
    Effect,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    render,
    run,
)
from twelvefold.loop import advance, utc_now
from twelvefold.messages import ModelReply, ModelRequest, Usage
from twelvefold.store import Append, Create, Ref
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import DEFAULT_TENANT, Draft, to_text


class Lookup(Step):
    """Look one service up."""

    intent: Literal["lookup"] = "lookup"
    query: str


class Done(Step):
    """Everything is known."""

    intent: Literal["done"] = "done"
    message: str


NextStep = Lookup | Done
USAGE = Usage(input=100, output=10)


class InstantModel:
    """Chooses `steps` lookups, then is done. Replies after `latency_s`."""

    def __init__(self, steps: int, *, latency_s: float = 0.0) -> None:
        self._steps, self._latency_s = steps, latency_s

    async def __call__(self, request: ModelRequest) -> ModelReply:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        step = request.turn - 1
        reply: dict[str, Any] = {"intent": "done", "message": work.ANSWER}
        if step < self._steps:
            reply = {"intent": "lookup", "query": work.query(step)}
        return ModelReply(to_text(reply), usage=USAGE, model="instant")


class Bench:
    """One application on one new file. `curve` is marked by each tool call."""

    def __init__(self, folder: Path, *, steps: int = work.STEPS, latency_s: float = 0.0) -> None:
        self.path, self.steps, self.curve = folder / "ours.db", steps, Curve()
        self.store = SqliteStore(self.path)
        model = InstantModel(steps, latency_s=latency_s)
        agent = Agent("bench", self._decide, NextStep, owner="ops", limits=None)
        self.app = App([agent], store=self.store, model=model)

    async def _lookup(self, _: Lookup) -> dict[str, Any]:
        self.curve.mark()
        return work.RESULT

    def _decide(self, thread: Thread, state: State[NextStep]) -> Effect[NextStep]:
        if not state.ready:
            resting = state.waiting or state.finished
            return Wait() if resting else AskModel(lambda: render(thread), NextStep)
        match state.ready[0].step:
            case Lookup() as step:
                return run(self._lookup, step, retry_safe=True)
            case Done(message=message) as step:
                return Finish(message, step)

    async def thread(self, thread_id: str) -> None:
        await self.app.launch("bench", work.TASK, thread_id=thread_id)
        await self.app.run(until_idle=True)

    def check(self, threads: int) -> None:
        """A figure of work that was not done is worth nothing."""
        rows = self.app.threads(limit=threads + 1)
        steps = [row.summary.steps for row in rows if row.status == "finished"]
        assert steps == [self.steps + 1] * threads, steps


def sequential(folder: Path, *, threads: int = work.THREADS) -> dict[str, float]:
    bench = Bench(folder)

    async def each() -> None:
        for number in range(threads):
            await bench.thread(f"t{number}")

    meter = Meter()
    asyncio.run(each())
    figures = meter.per_step(threads * work.STEPS)
    bench.check(threads)
    return figures | {"commits": bench.store.transactions / (threads * work.STEPS)}


def long(folder: Path) -> dict[str, float]:
    bench = Bench(folder, steps=work.LONG_STEPS)
    asyncio.run(bench.thread("t"))
    bench.check(1)
    return bench.curve.points() | stored_bytes(bench.path)


def crowd(folder: Path) -> dict[str, float]:
    bench = Bench(folder, latency_s=work.MODEL_S)

    async def everyone() -> None:
        names = [f"t{number}" for number in range(work.CROWD)]
        await asyncio.gather(
            *(bench.app.launch("bench", work.TASK, thread_id=name) for name in names)
        )
        await bench.app.run(until_idle=True)

    meter = Meter()
    asyncio.run(everyone())
    figures = meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}
    bench.check(work.CROWD)
    return figures | {"commits": bench.store.transactions / (work.CROWD * work.STEPS)}


def process(folder: Path) -> dict[str, float]:
    bench = Bench(folder, steps=1)
    asyncio.run(bench.thread("t"))
    bench.check(1)
    return {}


class Pay(Step):
    """What waits for a person."""

    risk: ClassVar = "high"
    intent: Literal["pay"] = "pay"
    to: str


class Gate:
    """Threads that wait for an approval, in the file of this folder. `called` runs in the tool."""

    def __init__(self, folder: Path, *, called: Callable[[], None]) -> None:
        self.store = SqliteStore(folder / "ours.db")
        self._called = called
        self.app = App([Agent("gate", self._decide, Pay, owner="ops")], store=self.store)

    async def _pay(self, step: Pay) -> str:
        self._called()
        return f"paid {step.to}"

    def _decide(self, _: Thread, state: State[Pay]) -> Effect[Pay]:
        if state.finished or state.waiting:
            return Wait()
        if not state.ready:
            return Finish("paid") if state.last(Pay) else Choose(Pay(to="anna"))
        chosen = state.ready[0]
        if not chosen.approved:
            return Approve(chosen.step, by="ops")
        return run(self._pay, chosen.step, retry_safe=True)

    async def ask(self, threads: int) -> None:
        for number in range(threads):
            await self.app.launch("gate", work.TASK, thread_id=f"t{number}")
        await self.app.run(until_idle=True)

    async def approve(self, contact: str) -> None:
        await self.app.answer(contact, "approve", by="ops")
        await self.app.run(until_idle=True, only=contact.partition(".")[0])


def resume(folder: Path) -> dict[str, float]:
    """From a log with an approval to the call of the tool: in this process, and in a new one, which
    gives the approval too."""
    calls: list[float] = []
    gate = Gate(folder, called=lambda: calls.append(time.perf_counter()))
    warm_ms: list[float] = []

    async def approvals() -> None:
        await gate.ask(work.RESUMES + 1)
        for number in range(work.RESUMES):
            await gate.app.answer(f"t{number}.s1.1", "approve", by="ops")
            started = time.perf_counter()
            await advance(Ref(DEFAULT_TENANT, f"t{number}"), gate.app.surroundings)
            warm_ms.append(1000 * (calls[-1] - started))

    asyncio.run(approvals())
    gate.store.close()
    assert len(calls) == work.RESUMES
    contact = f"t{work.RESUMES}.s1.1"
    return {"warm_ms": statistics.median(warm_ms), "cold_ms": cold_ms("resume", folder, contact)}


def scale(folder: Path) -> dict[str, float]:
    """One long log: to load and fold it, and to render a turn of it that has two new events."""
    figures: dict[str, float] = {}
    store = SqliteStore(folder / "ours.db")
    agent: Agent[Lookup, None] = Agent("bench", _never, Lookup, owner="ops")
    store.commit_now(Append("t", facts(1, 0), create=Create("bench")))
    for size in work.SCALES:
        while (head := store.thread_row("t").head) < size:
            store.commit_now(Append("t", facts(min(work.BATCH, size - head), head)))
        started = time.perf_counter()
        thread = store.load("t")
        agent.state(thread)
        figures[f"fold_s_{size}"] = time.perf_counter() - started
        render(thread)
        thread = thread.grown([draft.event(size + n) for n, draft in enumerate(facts(2, size), 1)])
        started = time.perf_counter()
        render(thread)
        figures[f"turn_ms_{size}"] = 1000 * (time.perf_counter() - started)
    store.close()
    return figures


def tokens(_: Path) -> dict[str, float]:
    """The examples' threads by the default rendering."""
    from benchmarks.contexts import tokens_of_default  # the examples are no cost of other cases

    return tokens_of_default()


def facts(count: int, head: int) -> list[Draft]:
    """Choices and results by turns, as W2 makes them."""
    drafts: list[Draft] = []
    for seq in range(head, head + count):
        data = {"intent": "lookup", "args": {"query": work.query(seq)}, "by": "code"}
        if seq % 2:
            step = f"s{seq // 2 + 1}"
            data = {"step": step, "intent": "lookup", "attempt": 1, "result": work.RESULT}
        type = "tool_returned" if seq % 2 else "next_step_chosen"
        drafts.append(Draft(type, data, utc_now(), key=f"fact:{seq}"))
    return drafts


def _never(_: Thread, __: State[Lookup]) -> Effect[Lookup]:
    return Wait()
