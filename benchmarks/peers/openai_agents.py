"""OpenAI Agents SDK with its SQLite memory: an agent with a tool, run by `Runner`, as it shows.

Settings: tracing off, for it would send to a server; `SQLiteSession` in a file, which sets WAL,
with `synchronous` as SQLite has it, FULL. After each turn the items of the turn are in the file.
What waits for an approval is a `RunState`, which its guide has the caller keep: here in a file of
its own, written through to the disk.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from agents import Agent, Model, ModelResponse, RunConfig, Runner, SQLiteSession, function_tool
from agents.run_state import RunState
from agents.usage import Usage
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from benchmarks import work
from benchmarks.measure import Curve, Meter, cold_ms, stored_bytes

FILE = "agents.db"
QUIET = RunConfig(tracing_disabled=True)
curve = Curve()
calls: list[float] = []


class InstantModel(Model):
    """Chooses `steps` calls of a tool, then is done. Replies after `latency_s`."""

    def __init__(self, steps: int, *, latency_s: float = 0.0, tool: str = "lookup") -> None:
        self._steps, self._latency_s, self._tool = steps, latency_s, tool

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> Any:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        items = [] if isinstance(input, str) else input
        step = sum(item.get("type") == "function_call_output" for item in items)
        return ModelResponse([self._output(step)], usage=Usage(), response_id=None)

    def _output(self, step: int) -> Any:
        if step == self._steps:
            text = ResponseOutputText(text=work.ANSWER, type="output_text", annotations=[])
            return ResponseOutputMessage(
                id="m", content=[text], role="assistant", status="completed", type="message"
            )
        args = {"query": work.query(step)} if self._tool == "lookup" else {"to": "anna"}
        return ResponseFunctionToolCall(
            call_id=f"call{step}", name=self._tool, arguments=json.dumps(args), type="function_call"
        )

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("nothing is streamed here")


@function_tool
async def lookup(query: str) -> str:
    """Look one service up."""
    curve.mark()
    return json.dumps(work.RESULT)


@function_tool(needs_approval=True)
async def pay(to: str) -> str:
    """Pay somebody."""
    calls.append(time.perf_counter())
    if __name__ == "__main__":
        print("called", flush=True)
    return f"paid {to}"


async def thread(name: str, folder: Path, *, steps: int, latency_s: float = 0.0) -> None:
    agent = Agent("bench", tools=[lookup], model=InstantModel(steps, latency_s=latency_s))
    memory = SQLiteSession(name, folder / FILE)
    done = await Runner.run(
        agent, work.TASK, session=memory, run_config=QUIET, max_turns=2 * steps + 2
    )
    assert done.final_output == work.ANSWER
    memory.close()


def sequential(folder: Path) -> dict[str, float]:
    async def each() -> None:
        for number in range(work.PEER_THREADS):
            await thread(f"t{number}", folder, steps=work.STEPS)

    meter = Meter()
    asyncio.run(each())
    return meter.per_step(work.PEER_THREADS * work.STEPS)


def long(folder: Path) -> dict[str, float]:
    asyncio.run(thread("t", folder, steps=work.LONG_STEPS))
    return curve.points() | stored_bytes(folder / FILE)


def crowd(folder: Path) -> dict[str, float]:
    async def everyone() -> None:
        slow = {"steps": work.STEPS, "latency_s": work.MODEL_S}
        await asyncio.gather(*(thread(f"t{n}", folder, **slow) for n in range(work.CROWD)))

    meter = Meter()
    asyncio.run(everyone())
    return meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}


def process(folder: Path) -> dict[str, float]:
    asyncio.run(thread("t", folder, steps=1))
    return {}


def resume(folder: Path) -> dict[str, float]:
    warm_ms = asyncio.run(_warm_ms(folder))
    cold = cold_ms("peers.openai_agents", folder)
    return {"warm_ms": statistics.median(warm_ms), "cold_ms": cold}


async def _warm_ms(folder: Path) -> list[float]:
    names, took = [f"t{number}" for number in range(work.RESUMES)], list[float]()
    for name in [*names, "cold"]:
        await ask(name, folder)
    for name in names:
        started = time.perf_counter()
        await approve(name, folder)
        took.append(1000 * (calls[-1] - started))
    return took


def payer() -> Agent:
    return Agent("gate", tools=[pay], model=InstantModel(1, tool="pay"))


async def ask(name: str, folder: Path) -> None:
    memory = SQLiteSession(name, folder / FILE)
    asked = await Runner.run(payer(), work.TASK, session=memory, run_config=QUIET)
    assert asked.interruptions
    with (folder / f"{name}.json").open("w") as file:
        json.dump(asked.to_state().to_json(), file)
        file.flush()
        os.fsync(file.fileno())


async def approve(name: str, folder: Path) -> None:
    agent = payer()
    state = await RunState.from_json(agent, json.loads((folder / f"{name}.json").read_text()))
    for interruption in state.get_interruptions():
        state.approve(interruption)
    memory = SQLiteSession(name, folder / FILE)
    await Runner.run(agent, state, session=memory, run_config=QUIET)


if __name__ == "__main__":
    asyncio.run(approve("cold", Path(sys.argv[1])))
