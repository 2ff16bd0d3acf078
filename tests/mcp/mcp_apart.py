"""What the tests of the client share: the server apart, the tools of it, and an agent."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from twelvefold import Agent, App, Approve, Choose, Effect, Finish, State, Step, Thread, Wait
from twelvefold.mcp.client import Http, McpServer, McpStep, McpTools, Stdio

PROGRAM = str(Path(__file__).with_name("mcp_server_apart.py"))


class Done(Step):
    intent: Literal["done"] = "done"


def stdio(folder: Path, **env: Any) -> Stdio:
    return Stdio(sys.executable, [PROGRAM, str(folder)], env=env)


@contextmanager
def http(folder: Path) -> Iterator[Http]:
    """The same server on a port of loopback, killed in the end."""
    with serving(folder) as (_, at):
        yield at


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, Http]]:
    command = [sys.executable, PROGRAM, str(folder), "http"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield process.pid, Http(f"http://127.0.0.1:{port}/mcp")
        finally:
            process.kill()


def tools_of(folder: Path, at: Any = None, *, allow: Sequence[Any] = ("write",), **more: Any):
    server = McpServer("apart", at or stdio(folder), allow, **more)
    return McpTools(server, lock=folder / "mcp.lock.json")


LOCKS: dict[str, str] = {}


async def accepted(folder: Path, at: Any = None, **more: Any) -> McpTools:
    """All that the list holds. What the server says is looked at once for all tests of a list."""
    tools = tools_of(folder, at, **more)
    names = " ".join(one.tool for one in tools.servers["apart"].allowed)
    if names not in LOCKS:
        tools.accept(*await tools.check())
        LOCKS[names] = tools.lock.read_text()
    tools.lock.write_text(LOCKS[names])
    return tools


def write(tools: McpTools, line: str = "a", how: str = "text", **more: Any) -> McpStep:
    return tools.by_name["apart.write"](line=line, how=how, **more)


def ledger(folder: Path) -> list[str]:
    path = folder / "ledger"
    return path.read_text().splitlines() if path.exists() else []


def caller(tools: McpTools, *steps: McpStep, gated: bool = False) -> Agent[Any, Any]:
    """It takes the steps one by one; without `gated` it asks nobody."""

    def decide(thread: Thread, state: State[Any]) -> Effect[Any]:
        if state.ready:
            chosen = state.ready[0]
            if gated and not chosen.approved:
                return Approve(chosen.step, by="anna")
            return tools.run(chosen.step, ungated=None if gated else "a test")
        taken = sum(len(state.all(kind)) for kind in tools.by_name.values())
        if state.waiting or state.finished:
            return Wait()
        return Choose(steps[taken]) if taken < len(steps) else Finish("done")

    return Agent("caller", decide, tools.steps | Done, owner="anna")


async def ran(tools: McpTools, *steps: McpStep, gated: bool = False, **options: Any) -> Thread:
    """The thread of an agent that took these steps; the connections are closed."""
    from twelvefold.testing import MemoryStore

    app = App([caller(tools, *steps, gated=gated)], store=MemoryStore(), **options)
    thread = await app.launch("caller", "go", thread_id="t")
    try:
        await app.run(until_idle=True)
    finally:
        await tools.close()
    return app.thread(thread)


def outcomes(thread: Thread) -> list[tuple[str, Any]]:
    """What became of each run: the event, and its result or its error."""
    return [
        (event.type, event.data.get("result", event.data.get("error", event.data)))
        for event in thread.events
        if event.type in {"tool_returned", "tool_failed", "tool_outcome_unknown"}
    ]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
