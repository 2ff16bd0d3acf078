"""DBOS on SQLite: a workflow whose model calls and tools are steps, as in its agent guides.

Settings: WAL, set on the file before it opens it (DBOS leaves SQLite's default, a rollback
journal, which is slower); `synchronous` as SQLite has it, FULL; messages looked for every
millisecond, the shortest it allows, instead of every second; quiet logs.
"""

import asyncio
import os
import signal
import sqlite3
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks import work
from benchmarks.measure import Curve, Meter, cold_ms, stored_bytes

FILE = "dbos.db"
POLL_S = 0.001
curve = Curve()
steps = work.STEPS
calls: list[float] = []


@DBOS.step()
def ask_model(step: int) -> dict[str, Any]:
    if step == steps:
        return {"intent": "done", "message": work.ANSWER}
    return {"intent": "lookup", "query": work.query(step)}


@DBOS.step()
def lookup(query: str) -> dict[str, Any]:
    curve.mark()
    return work.RESULT


@DBOS.workflow()
def agent(task: str) -> str:
    step = 0
    while (chosen := ask_model(step))["intent"] == "lookup":
        lookup(chosen["query"])
        step += 1
    return chosen["message"]


@DBOS.step()
async def ask_slow_model(step: int) -> dict[str, Any]:
    await asyncio.sleep(work.MODEL_S)
    return {"intent": "lookup", "query": work.query(step)} if step < steps else {"intent": "done"}


@DBOS.step()
async def lookup_async(query: str) -> dict[str, Any]:
    return work.RESULT


@DBOS.workflow()
async def slow_agent(task: str) -> str:
    step = 0
    while (chosen := await ask_slow_model(step))["intent"] == "lookup":
        await lookup_async(chosen["query"])
        step += 1
    return work.ANSWER


@DBOS.step()
def pay(to: str) -> str:
    calls.append(time.perf_counter())
    if __name__ == "__main__":
        print("called", flush=True)
    return f"paid {to}"


@DBOS.workflow()
def gate(task: str) -> str:
    assert DBOS.recv("approval", timeout_seconds=600) == "approve"
    return pay("anna")


def launch(folder: Path) -> None:
    path = folder / FILE
    with sqlite3.connect(path) as db:
        db.execute("pragma journal_mode = wal")
    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{path}",
            "notification_listener_polling_interval_sec": POLL_S,
            "log_level": "ERROR",
            "application_version": "1",
            "executor_id": "local",
        }
    )
    DBOS.launch()


def run(thread: str) -> None:
    with SetWorkflowID(thread):
        assert agent(work.TASK) == work.ANSWER


def sequential(folder: Path) -> dict[str, float]:
    launch(folder)
    meter = Meter()
    for number in range(work.PEER_THREADS):
        run(f"t{number}")
    figures = meter.per_step(work.PEER_THREADS * work.STEPS)
    DBOS.destroy()
    return figures


def long(folder: Path) -> dict[str, float]:
    global steps
    steps = work.LONG_STEPS
    launch(folder)
    run("t")
    DBOS.destroy()
    return curve.points() | stored_bytes(folder / FILE)


def crowd(folder: Path) -> dict[str, float]:
    launch(folder)
    meter = Meter()
    asyncio.run(_crowd())
    figures = meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}
    DBOS.destroy()
    return figures


async def _crowd() -> None:
    async def one(number: int) -> None:
        with SetWorkflowID(f"t{number}"):
            assert await slow_agent(work.TASK) == work.ANSWER

    await asyncio.gather(*map(one, range(work.CROWD)))


def process(folder: Path) -> dict[str, float]:
    global steps
    steps = 1
    launch(folder)
    run("t")
    DBOS.destroy()
    return {}


def resume(folder: Path) -> dict[str, float]:
    """Warm, the workflow waits in this process: from the message to the tool. Cold, it waits in one
    that was killed, and a new one recovers it."""
    launch(folder)
    names = [f"t{number}" for number in range(work.RESUMES)]
    for name in names:
        wait(name)
    time.sleep(1)  # until all of them wait
    warm_ms: list[float] = []
    for name in names:
        started = time.perf_counter()
        approve(name)
        warm_ms.append(1000 * (calls[-1] - started))
    DBOS.destroy()
    cold_ms("peers.dbos", folder, "wait")  # which kills itself
    return {
        "warm_ms": statistics.median(warm_ms),
        "cold_ms": cold_ms("peers.dbos", folder, "approve"),
    }


def wait(name: str) -> None:
    with SetWorkflowID(name):
        DBOS.start_workflow(gate, work.TASK)


def approve(name: str) -> None:
    DBOS.send(name, "approve", "approval")
    DBOS.retrieve_workflow(name).get_result()


def main(folder: str, what: str) -> None:
    launch(Path(folder))  # recovers what a killed process left
    if what == "approve":
        return approve("cold")
    wait("cold")
    time.sleep(0.5)
    print("waits", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
