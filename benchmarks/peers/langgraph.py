"""LangGraph with its SQLite saver: a graph of a model and a tool, as in its guides.

Settings: `durability="sync"`, so that a step is on disk before the next begins (the default writes
beside it); WAL, which the saver sets; `synchronous` as SQLite has it, FULL.
"""

import asyncio
import sqlite3
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

from benchmarks import work
from benchmarks.measure import Curve, Meter, cold_ms, stored_bytes

FILE = "langgraph.db"
DURABLE: Any = {"durability": "sync"}
STATE: Any = MessagesState


class Bench:
    """`curve` is marked by each tool call."""

    def __init__(self, saver: Any, *, steps: int = work.STEPS, latency_s: float = 0.0) -> None:
        self.steps, self.latency_s, self.curve = steps, latency_s, Curve()

        @tool
        def lookup(query: str) -> dict:
            """Look one service up."""
            self.curve.mark()
            return work.RESULT

        builder = StateGraph(STATE)
        builder.add_node("model", self._slow_model if latency_s else self._model)
        builder.add_node("tools", ToolNode([lookup]))
        builder.add_edge(START, "model")
        builder.add_conditional_edges("model", tools_condition)
        builder.add_edge("tools", "model")
        self.graph = builder.compile(checkpointer=saver)

    def _model(self, state: Any) -> dict[str, Any]:
        step = sum(isinstance(message, ToolMessage) for message in state["messages"])
        if step == self.steps:
            return {"messages": [AIMessage(work.ANSWER)]}
        call = {"name": "lookup", "args": {"query": work.query(step)}, "id": f"call{step}"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    async def _slow_model(self, state: Any) -> dict[str, Any]:
        await asyncio.sleep(self.latency_s)
        return self._model(state)

    def about(self, thread: str) -> tuple[Any, Any]:
        config = {"configurable": {"thread_id": thread}, "recursion_limit": 3 * self.steps + 10}
        return {"messages": [HumanMessage(work.TASK)]}, config

    def thread(self, thread: str) -> None:
        self.check(self.graph.invoke(*self.about(thread), **DURABLE))

    async def slow_thread(self, thread: str) -> None:
        self.check(await self.graph.ainvoke(*self.about(thread), **DURABLE))

    def check(self, state: dict[str, Any]) -> None:
        assert len(state["messages"]) == 2 * self.steps + 2, len(state["messages"])


def open_saver(folder: Path) -> SqliteSaver:
    return SqliteSaver(sqlite3.connect(folder / FILE, check_same_thread=False))


def sequential(folder: Path) -> dict[str, float]:
    bench = Bench(open_saver(folder))
    meter = Meter()
    for number in range(work.PEER_THREADS):
        bench.thread(f"t{number}")
    return meter.per_step(work.PEER_THREADS * work.STEPS)


def long(folder: Path) -> dict[str, float]:
    bench = Bench(open_saver(folder), steps=work.LONG_STEPS)
    bench.thread("t")
    return bench.curve.points() | stored_bytes(folder / FILE)


def crowd(folder: Path) -> dict[str, float]:
    return asyncio.run(_crowd(folder))


async def _crowd(folder: Path) -> dict[str, float]:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(folder / FILE)) as saver:
        bench = Bench(saver, latency_s=work.MODEL_S)
        meter = Meter()
        await asyncio.gather(*(bench.slow_thread(f"t{n}") for n in range(work.CROWD)))
        return meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}


def process(folder: Path) -> dict[str, float]:
    Bench(open_saver(folder), steps=1).thread("t")
    return {}


def gate(folder: Path, called: Any) -> Any:
    """A graph that waits for an approval, and then runs its tool."""

    def pay(state: MessagesState) -> dict[str, Any]:
        assert interrupt({"intent": "pay", "to": "anna"}) == "approve"
        called()
        return {"messages": [AIMessage("paid anna")]}

    builder = StateGraph(MessagesState)
    builder.add_node("pay", pay)
    builder.add_edge(START, "pay")
    builder.add_edge("pay", END)
    return builder.compile(checkpointer=open_saver(folder))


def resume(folder: Path) -> dict[str, float]:
    calls: list[float] = []
    graph, warm_ms = gate(folder, lambda: calls.append(time.perf_counter())), list[float]()
    for number in range(work.RESUMES + 1):
        graph.invoke({"messages": [HumanMessage(work.TASK)]}, _of(number), **DURABLE)
    for number in range(work.RESUMES):
        started = time.perf_counter()
        graph.invoke(Command(resume="approve"), _of(number), **DURABLE)
        warm_ms.append(1000 * (calls[-1] - started))
    return {"warm_ms": statistics.median(warm_ms), "cold_ms": cold_ms("peers.langgraph", folder)}


def _of(number: int) -> Any:
    return {"configurable": {"thread_id": f"t{number}"}}


if __name__ == "__main__":
    waiting = gate(Path(sys.argv[1]), lambda: print("called", flush=True))
    waiting.invoke(Command(resume="approve"), _of(work.RESUMES), **DURABLE)
