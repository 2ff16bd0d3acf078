"""The same work by twelvefold, through its public road: launch, run, a rendered prompt per turn.

Prompt hashes, schemas, parsing, the chain and the projections are all in what is measured.
"""

import asyncio
import statistics
import time
from pathlib import Path

from benchmarks import work
from benchmarks.agents import Bench, Gate, InstantModel, Lookup, facts
from benchmarks.measure import Meter, cold_ms, stored_bytes
from twelvefold import Agent, Effect, State, Thread, Wait, render
from twelvefold.loop import advance
from twelvefold.store import Append, Create, Ref
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import DEFAULT_TENANT

FILE = "ours.db"


def sequential(folder: Path) -> dict[str, float]:
    store = SqliteStore(folder / FILE)
    bench = Bench(store)

    async def each() -> None:
        for number in range(work.THREADS):
            await bench.thread(f"t{number}")

    meter = Meter()
    asyncio.run(each())
    figures = meter.per_step(work.THREADS * work.STEPS)
    bench.check(work.THREADS)
    return figures | {"commits": store.transactions / (work.THREADS * work.STEPS)}


def long(folder: Path) -> dict[str, float]:
    bench = Bench(SqliteStore(folder / FILE), steps=work.LONG_STEPS)
    asyncio.run(bench.thread("t"))
    bench.check(1)
    return bench.curve.points() | stored_bytes(folder / FILE)


def crowd(folder: Path) -> dict[str, float]:
    store = SqliteStore(folder / FILE)
    bench = Bench(store, model=InstantModel(work.STEPS, latency_s=work.MODEL_S))
    meter = Meter()
    asyncio.run(bench.crowd(work.CROWD))
    figures = meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}
    bench.check(work.CROWD)
    return figures | {"commits": store.transactions / (work.CROWD * work.STEPS)}


def process(folder: Path) -> dict[str, float]:
    bench = Bench(SqliteStore(folder / FILE), steps=1)
    asyncio.run(bench.thread("t"))
    bench.check(1)
    return {}


def resume(folder: Path) -> dict[str, float]:
    """From a log with an approval to the call of the tool: in this process, and in a new one, which
    gives the approval too."""
    calls: list[float] = []
    gate = Gate(SqliteStore(folder / FILE), called=lambda: calls.append(time.perf_counter()))
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
    """One long log: to load and fold it, and to render turns of it with two new events each."""
    figures: dict[str, float] = {}
    store = SqliteStore(folder / FILE)
    agent: Agent[Lookup, None] = Agent("bench", _never, Lookup, owner="ops")
    store.commit_now(Append("t", facts(1, 0), create=Create("bench")))
    for size in work.SCALES:
        while (head := store.thread_row("t").head) < size:
            store.commit_now(Append("t", facts(min(work.BATCH, size - head), head)))
        started = time.perf_counter()
        thread = store.load("t")
        agent.state(thread)
        figures[f"fold_s_{size}"] = time.perf_counter() - started
        figures[f"turn_ms_{size}"] = _turn_ms(thread)
    store.close()
    return figures


def _turn_ms(thread: Thread) -> float:
    """The median of some turns, after the first, which renders all."""
    took_ms: list[float] = []
    for _ in range(work.TURNS + 1):
        started = time.perf_counter()
        render(thread)
        took_ms.append(1000 * (time.perf_counter() - started))
        thread = thread.then(*facts(2, thread.head))
    return statistics.median(took_ms[1:])


def tokens(_: Path) -> dict[str, float]:
    """The examples' threads by the default rendering."""
    from benchmarks.contexts import tokens_of_default  # the examples are no cost of other cases

    return tokens_of_default()


def _never(_: Thread, __: State[Lookup]) -> Effect[Lookup]:
    return Wait()
