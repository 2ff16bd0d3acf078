"""`twelvefold serve --mcp`: beside the API, for the same keys, until it is told to stop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.known import PATIENCE_S, bearer, keyed
from twelvefold import App

START = "from twelvefold.cli import main; main()"
AGENTS = """
from typing import Literal
from twelvefold import Agent, App, Finish, State, Step, Thread, Wait

class Part(Step):
    intent: Literal["part"] = "part"

def echo(thread: Thread, state: State[Part]):
    return Wait() if state.finished else Finish("said " + thread.events[0].data["text"])

app = App([Agent("echo", echo, Part, owner="olga")])
"""
BOTH = {"Accept": "application/json, text/event-stream"}
OLDER = {"MCP-Protocol-Version": "2025-11-25"}


@pytest.fixture
def key(tmp_path: Path) -> str:
    """Anna's, in the log that will be served."""
    app = App([], store=f"sqlite:///{tmp_path / 'log.db'}")
    try:
        return keyed(app, person="anna")
    finally:
        app.close()


@pytest.fixture
def serving(tmp_path: Path, key: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Its URL, and the process."""
    (tmp_path / "agents.py").write_text(AGENTS, encoding="utf-8")
    options = ["--app", "agents.py:app", "--store", "log.db", "--port", "0", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", START, "serve", "--mcp", "--runner", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"], process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def said(url: str, method: str, params: object, headers: dict[str, str]) -> httpx.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(f"{url}/mcp", json=body, headers={**BOTH, **headers}, timeout=PATIENCE_S)


def test_the_keys_of_the_api_open_it_and_it_stops_with_its_streams(
    serving: tuple[str, "subprocess.Popen[str]"], key: str
):
    url, process = serving
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    assert said(url, "initialize", hello, {}).status_code == 401
    opened = said(url, "initialize", hello, bearer(key))
    session = {**bearer(key), **OLDER, "Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    call = {"name": "echo", "arguments": {"input": "hello"}}

    called = said(url, "tools/call", call, session)
    threads = httpx.get(f"{url}/v1/threads", headers=bearer(key), timeout=PATIENCE_S).json()
    listens = {**session, "Accept": "text/event-stream", "Last-Event-ID": "of-nothing-kept"}
    with httpx.stream("GET", f"{url}/mcp", headers=listens, timeout=PATIENCE_S) as stream:
        listening = stream.status_code
        process.send_signal(signal.SIGTERM)
        for _ in stream.iter_bytes():
            """Nothing is sent on it but that it is there."""
    code = process.wait(PATIENCE_S)

    assert (opened.status_code, listening) == (200, 200)
    assert "said hello" in called.text
    assert [thread["agent"] for thread in threads["data"]] == ["echo"]
    assert code == os.EX_OK


def test_a_client_of_today_is_served_without_a_session(
    serving: tuple[str, "subprocess.Popen[str]"], key: str
):
    url, _ = serving
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "echo"}
    call = {"name": "echo", "arguments": {"input": "hello"}, "_meta": meta}

    called = said(url, "tools/call", call, {**bearer(key), **headers})

    assert called.json()["result"]["content"] == [{"type": "text", "text": "said hello"}]
    assert "Mcp-Session-Id" not in called.headers
