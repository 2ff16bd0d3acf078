"""Pydantic AI with DBOS: an agent whose runs are workflows, as in its page on durable execution.

The model is a `FunctionModel`, the tool a DBOS step; `DBOSDurability` makes each model request one.
Settings of DBOS as in `dbos.py`: WAL, FULL, messages looked for every millisecond, quiet logs.
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
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults
from pydantic_ai.durable_exec.dbos import DBOSDurability
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import UsageLimits

from benchmarks import work
from benchmarks.measure import Curve, Meter, cold_ms, stored_bytes

FILE = "dbos.db"
POLL_S = 0.001
UNLIMITED = UsageLimits(request_limit=None)
curve = Curve()
steps, latency_s = work.STEPS, 0.0
calls: list[float] = []


def returned(messages: list[ModelMessage]) -> int:
    """How many tools have returned."""
    return sum(isinstance(part, ToolReturnPart) for message in messages for part in message.parts)


async def instant(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if latency_s:
        await asyncio.sleep(latency_s)
    step = returned(messages)
    if step == steps:
        return ModelResponse([TextPart(work.ANSWER)])
    return ModelResponse([ToolCallPart("lookup", {"query": work.query(step)})])


agent = Agent(FunctionModel(instant), name="bench", capabilities=[DBOSDurability()])


@agent.tool_plain
@DBOS.step()
async def lookup(query: str) -> dict[str, Any]:
    """Look one service up."""
    curve.mark()
    return work.RESULT


@DBOS.workflow()
async def run(task: str) -> str:
    return (await agent.run(task, usage_limits=UNLIMITED)).output


async def paying(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if returned(messages):
        return ModelResponse([TextPart("paid")])
    return ModelResponse([ToolCallPart("pay", {"to": "anna"})])


payer = Agent(
    FunctionModel(paying),
    name="gate",
    output_type=[str, DeferredToolRequests],
    capabilities=[DBOSDurability()],
)


@payer.tool_plain(requires_approval=True)
@DBOS.step()
async def pay(to: str) -> str:
    """Pay somebody."""
    calls.append(time.perf_counter())
    if __name__ == "__main__":
        print("called", flush=True)
    return f"paid {to}"


@DBOS.workflow()
async def gate(task: str) -> str:
    asked = await payer.run(task)
    assert isinstance(asked.output, DeferredToolRequests)
    assert await DBOS.recv_async("approval", timeout_seconds=600) == "approve"
    approvals = {call.tool_call_id: True for call in asked.output.approvals}
    results = DeferredToolResults(approvals=approvals)
    paid = await payer.run(message_history=asked.all_messages(), deferred_tool_results=results)
    return str(paid.output)


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


async def thread(name: str) -> None:
    with SetWorkflowID(name):
        assert await run(work.TASK) == work.ANSWER


def sequential(folder: Path) -> dict[str, float]:
    async def each() -> None:
        for number in range(work.PEER_THREADS):
            await thread(f"t{number}")

    launch(folder)
    meter = Meter()
    asyncio.run(each())
    figures = meter.per_step(work.PEER_THREADS * work.STEPS)
    DBOS.destroy()
    return figures


def long(folder: Path) -> dict[str, float]:
    global steps
    steps = work.LONG_STEPS
    launch(folder)
    asyncio.run(thread("t"))
    DBOS.destroy()
    return curve.points() | stored_bytes(folder / FILE)


def crowd(folder: Path) -> dict[str, float]:
    async def everyone() -> None:
        await asyncio.gather(*(thread(f"t{number}") for number in range(work.CROWD)))

    global latency_s
    latency_s = work.MODEL_S
    launch(folder)
    meter = Meter()
    asyncio.run(everyone())
    figures = meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}
    DBOS.destroy()
    return figures


def process(folder: Path) -> dict[str, float]:
    global steps
    steps = 1
    launch(folder)
    asyncio.run(thread("t"))
    DBOS.destroy()
    return {}


def resume(folder: Path) -> dict[str, float]:
    """Warm, the workflow waits in this process: from the message to the tool. Cold, it waits in one
    that was killed, and a new one recovers it."""
    launch(folder)
    warm_ms = asyncio.run(_warm_ms())
    DBOS.destroy()
    cold_ms("peers.pydantic_ai", folder, "wait")  # which kills itself
    return {
        "warm_ms": statistics.median(warm_ms),
        "cold_ms": cold_ms("peers.pydantic_ai", folder, "approve"),
    }


async def _warm_ms() -> list[float]:
    names, took = [f"t{number}" for number in range(work.RESUMES)], list[float]()
    for name in names:
        await wait(name)
    await asyncio.sleep(2)  # until all of them wait
    for name in names:
        started = time.perf_counter()
        await approve(name)
        took.append(1000 * (calls[-1] - started))
    return took


async def wait(name: str) -> None:
    with SetWorkflowID(name):
        await DBOS.start_workflow_async(gate, work.TASK)


async def approve(name: str) -> None:
    await DBOS.send_async(name, "approve", "approval")
    await (await DBOS.retrieve_workflow_async(name)).get_result()


async def main(folder: str, what: str) -> None:
    launch(Path(folder))  # recovers what a killed process left
    if what == "approve":
        return await approve("cold")
    await wait("cold")
    await asyncio.sleep(1)
    print("waits", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
