"""Clients of 2025-11-25, and clients that start the server: those of the SDK."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp_types import ElicitResult
from mcp_world import INITIALIZE, World, clients, older
from mcp_world import Client as Caller

from mcp import Client, StdioServerParameters
from server.known import PATIENCE_S
from twelvefold import App

pytestmark = pytest.mark.anyio

START = "from twelvefold.cli import main; main()"
CHECKOUT = """
import sys
sys.path[:0] = [{tests!r}, {mcp!r}]
print("what an application prints is no message of the protocol")
from mcp_world import World
app = World().app
app.use_store({store!r})
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., StdioServerParameters]:
    """`twelvefold mcp serve` for an application in this folder."""
    here = Path(__file__).parent
    text = CHECKOUT.format(tests=str(here.parent), mcp=str(here), store=str(tmp_path / "log.db"))
    (tmp_path / "agents.py").write_text(text, encoding="utf-8")

    def made(*options: str) -> StdioServerParameters:
        args = ["-c", START, "mcp", "serve", "--app", "agents.py:app", "--as", "anna", *options]
        return StdioServerParameters(command=sys.executable, args=args, cwd=tmp_path)

    return made


def saying(**content: Any) -> tuple[Any, list[Any]]:
    """A person, and what they were shown."""
    shown: list[Any] = []

    async def said(context: Any, params: Any) -> ElicitResult:
        shown.append(params)
        return ElicitResult(action="accept", content=content)

    return said, shown


def text_of(result: Any) -> str:
    return result.content[0].text


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_client_that_starts_the_program_asks_its_person(
    program: Callable[..., StdioServerParameters], mode: Any
):
    person, shown = saying(decision="approve")

    async with Client(program(), mode=mode, elicitation_callback=person) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        paid = await client.call_tool("till", {"input": "small 5"})

    assert {"launch", "send", "get_thread", "answer", "till"} <= set(names)
    assert text_of(paid) == "5 euros are back"
    [form] = shown
    assert "euros  5" in form.message


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_form_settles_nothing_above_its_proof_there_either(
    program: Callable[..., StdioServerParameters], mode: Any
):
    person, shown = saying(decision="approve")

    async with Client(program(), mode=mode, elicitation_callback=person) as client:
        waits = await client.call_tool("till", {"input": "huge 5"})
        said = await client.call_tool("get_thread", {"thread": text_of(waits).split()[1]})

    assert "waits for anna" in text_of(waits)
    assert said.structured_content["status"] == "waiting"
    assert shown == []


async def test_a_form_that_comes_to_nothing_leaves_the_thread_going_on(
    program: Callable[..., StdioServerParameters],
):
    nonsense, shown = saying(decision="perhaps")

    async with Client(program(), mode="legacy", elicitation_callback=nonsense) as client:
        waits = await client.call_tool("till", {"input": "small 5"})
        seen = await client.call_tool("get_thread", {"thread": text_of(waits).split()[1]})

    assert "waits for anna" in text_of(waits)
    assert seen.structured_content["status"] == "waiting"
    assert len(shown) == 1


async def test_what_is_launched_goes_on_in_another_program(
    program: Callable[..., StdioServerParameters],
):
    async with Client(program("--no-runner")) as client:
        made = await client.call_tool("launch", {"agent": "echo", "input": "it", "id": "mine"})
        assert made.structured_content["status"] == "running"

    async with Client(program()) as client:
        for _ in range(int(PATIENCE_S * 100)):
            seen = (await client.call_tool("get_thread", {"thread": "mine"})).structured_content
            if seen["status"] == "finished":
                break
        assert seen["events"][-1]["data"]["message"] == "said it"


async def test_only_the_agents_that_are_named_are_tools(
    program: Callable[..., StdioServerParameters],
):
    async with Client(program("--agent", "echo", "--agent", "asker")) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}

    assert names == {"launch", "send", "get_thread", "answer", "echo", "asker"}


async def test_a_program_that_an_advance_started_shows_no_form(
    program: Callable[..., StdioServerParameters], tmp_path: Path
):
    app = App([], store=f"sqlite:///{tmp_path / 'log.db'}")
    engine = app.new_engine()
    advancing = asyncio.ensure_future(engine.run())
    while app.store.runner_pid() != os.getpid():  # noqa: ASYNC110
        await asyncio.sleep(0)
    started = program()

    ran = await asyncio.create_subprocess_exec(
        started.command, *started.args, cwd=tmp_path, stdin=DEVNULL, stderr=PIPE
    )
    _, told = await ran.communicate()
    engine.stop()
    await advancing
    app.close()

    assert ran.returncode == 5
    assert b"may not decide" in told


@pytest.mark.parametrize("who", ["ben", "eve", "machine"])
def test_a_session_is_for_whoever_opened_it_alone(who: str):
    world = World()
    with clients(world) as http:
        opened = older(http, world.keys["anna"], "initialize", INITIALIZE)
        session = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}

        stolen = older(http, world.keys[who], "tools/list", {}, **session)
        own = older(http, world.keys["anna"], "ping", {}, **session)

    assert opened.status_code == 200
    assert stolen.status_code == 404
    assert own.status_code == 200


def test_nobody_opens_a_session_without_a_key():
    world = World()
    with clients(world) as http:
        refused = older(http, "tf_nothing", "initialize", INITIALIZE)

    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://inbox.example.evil"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_the_page_of_another_site_calls_nothing(headers: dict[str, str]):
    world = World()
    with clients(world) as http:
        caller = Caller(world, http)
        refused = caller.post(
            "tools/call", {"name": "says", "arguments": {"input": "x"}}, **headers
        )
        own = caller.post("tools/list", {}, Origin="http://inbox.example")

    assert refused.status_code == 403
    assert own.status_code == 200
    for answer in (refused, own):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert world.app.threads(tenant="acme") == []


def test_a_body_that_is_too_large_is_not_read():
    world = World()
    with clients(world) as http:
        large = Caller(world, http).post("tools/call", {"name": "says", "arguments": "x" * 2**24})

    assert large.status_code == 413
