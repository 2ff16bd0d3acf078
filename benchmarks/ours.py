"""The same work by twelvefold, through its public road: launch, run, a rendered prompt per turn.

Prompt hashes, schemas, parsing, the chain and the projections are all in what is measured.
"""

import asyncio
from pathlib import Path
from typing import Any, Literal

from benchmarks import work
from benchmarks.measure import Curve, Meter, stored_bytes
from twelvefold import (
    Agent,
    App,
    AskModel,
    Effect,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    render,
    run,
)
from twelvefold.messages import ModelReply, ModelRequest, Usage
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import to_text


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
