"""A step of another server's tool runs as any tool does, against real servers of the SDK."""

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mcp_apart import accepted, caller, http, ledger, outcomes, ran, stdio, tools_of, write

from twelvefold import App
from twelvefold.attachments import Attachment
from twelvefold.exceptions import ConfigurationError, ToolRefused, Unreachable
from twelvefold.mcp.client import CALL_KEY, Allowed, Http, Question, Stdio
from twelvefold.secrets import SecretRef
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio

WAYS = ["stdio", "http", "http 2025-11-25", "http 2026-07-28"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """How the server is reached: where it is, and which version is spoken."""
    kind, _, version = request.param.partition(" ")
    with ExitStack() as stack:
        at = stdio(tmp_path) if kind == "stdio" else stack.enter_context(http(tmp_path))
        yield {"at": at, "protocol": version or "auto"}


async def test_a_step_calls_the_tool_and_its_text_is_the_result(way: Any, tmp_path: Path):
    tools = await accepted(tmp_path, **way)

    thread = await ran(tools, write(tools, "one"), write(tools, "two"))

    assert outcomes(thread) == [("tool_returned", "wrote one"), ("tool_returned", "wrote two")]
    assert ledger(tmp_path) == ["write one default/t/s1", "write two default/t/s2"]
    started = [event.data["tool"] for event in thread.events if event.type == "tool_started"]
    assert started == ["apart.write", "apart.write"]


async def test_each_kind_of_content_becomes_a_result(way: Any, tmp_path: Path):
    tools = await accepted(tmp_path, **way)
    kinds = ["structured", "both", "link", "image"]

    thread = await ran(tools, *(write(tools, how=how) for how in kinds))
    results = [result for _, result in outcomes(thread)]

    assert results[:3] == [
        {"line": "a"},
        {"structured": {"line": "a"}, "content": ["more"]},
        {"content": [{"uri": "file:///etc/passwd", "name": "passwd"}]},
    ]
    image = Attachment.model_validate(results[3]["content"][0]["attachment"])
    assert (image.media_type, image.size) == ("image/png", 4)


async def test_a_large_text_becomes_an_attachment(way: Any, tmp_path: Path):
    tools = await accepted(tmp_path, **way)

    thread = await ran(tools, write(tools, "2000000", "huge"))

    [(kind, data)] = outcomes(thread)
    assert (kind, data["chars"], data["attachment"]["size"]) == ("tool_returned", 2e6, 2e6)


@pytest.mark.parametrize(
    ("allowed", "outcome"),
    [
        ({}, "tool_outcome_unknown"),
        ({"risk": "low"}, "tool_failed"),
        ({"retry_safe": True}, "tool_failed"),
        ({"errors_are_final": True}, "tool_failed"),
    ],
    ids=str,
)
async def test_what_an_error_means_is_for_the_user_to_say(
    allowed: Any, outcome: str, tmp_path: Path
):
    tools = await accepted(tmp_path, allow=[Allowed("write", **allowed)])

    thread = await ran(tools, write(tools, how="error"), write(tools, how="refused"))

    found = outcomes(thread)  # after an unknown outcome the owner is asked first
    assert [kind for kind, _ in found] == [outcome] * (1 if "unknown" in outcome else 2)
    assert "apart.write answered with an error: no such line: a" in found[0][1]
    assert "apart.write answered with an error: not today" in found[-1][1] or len(found) == 1


async def test_a_step_is_of_high_risk_whatever_the_server_says_of_itself(tmp_path: Path):
    tools = await accepted(tmp_path)  # with readOnlyHint and idempotentHint

    thread = await ran(tools, write(tools), gated=True)

    assert tools.by_name["apart.write"].risk == "high"
    assert ledger(tmp_path) == []
    assert [e.type for e in thread.events if e.type.startswith("contact")] == ["contact_requested"]


async def test_an_approved_step_runs_with_the_bytes_that_were_shown(tmp_path: Path):
    tools = await accepted(tmp_path)
    app = App([caller(tools, write(tools, "shown"), gated=True)], store=MemoryStore())
    thread = await app.launch("caller", "go", thread_id="t")
    await app.run(until_idle=True)
    [row] = app.store.contacts()

    assert row.data["args"] == {"line": "shown", "how": "text", "key": None}
    await app.answer(f"t.{row.id}", "approve", by="anna")
    await app.run(until_idle=True)
    await tools.close()

    assert outcomes(app.thread(thread)) == [("tool_returned", "wrote shown")]


async def test_the_key_goes_into_the_argument_that_takes_it(tmp_path: Path):
    fill = {"key": CALL_KEY}
    tools = await accepted(tmp_path, allow=[Allowed("write", fill=fill)])
    step = tools.by_name["apart.write"](line="a")

    await ran(tools, step)

    assert "key" not in type(step).model_fields
    assert ledger(tmp_path) == ["write a default/t/s1"]


async def test_a_secret_is_read_when_the_program_starts_and_is_in_no_event(tmp_path: Path):
    at = stdio(tmp_path, TOKEN=SecretRef("apart"))
    tools = tools_of(tmp_path, at, allow=["whoami"])
    tools._secrets = {"apart": "hunter22"}
    tools.accept(*await tools.check())
    step = tools.by_name["apart.whoami"]()

    thread = await ran(tools, step, secrets={"apart": "hunter22"})

    [(_, result)] = outcomes(thread)
    assert result.startswith("[secret apart] of ")
    assert "hunter22" not in (tmp_path / "mcp.lock.json").read_text()


async def test_without_its_secret_nothing_is_called(tmp_path: Path):
    tools = await accepted(tmp_path)
    other = tools_of(tmp_path, stdio(tmp_path, TOKEN=SecretRef("apart")))

    thread = await ran(other, write(other))

    [(kind, error)] = outcomes(thread)
    assert (kind, "there is no secret 'apart'" in error) == ("tool_failed", True)
    assert ledger(tmp_path) == []
    assert tools.steps == tools.by_name["apart.write"]


async def test_the_environment_of_this_process_is_not_the_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TOKEN", "of this process")
    tools = await accepted(tmp_path, allow=["whoami"])

    thread = await ran(tools, tools.by_name["apart.whoami"]())

    assert outcomes(thread)[0][1].startswith("nobody of ")


async def test_one_program_serves_many_calls_and_each_tenant_has_its_own(tmp_path: Path):
    tools = await accepted(tmp_path, allow=["whoami"])
    step = tools.by_name["apart.whoami"]()
    app = App([caller(tools, step, step)], store=MemoryStore())
    threads = [await app.launch("caller", "go", tenant=tenant) for tenant in ("one", "two")]
    await app.run(until_idle=True)
    said = [
        [result for _, result in outcomes(app.thread(thread, tenant=tenant))]
        for thread, tenant in zip(threads, ("one", "two"), strict=True)
    ]
    await tools.close()

    assert said[0][0] == said[0][1]
    assert said[1][0] == said[1][1]
    assert said[0][0] != said[1][0]


async def test_closing_ends_the_program(tmp_path: Path):
    tools = await accepted(tmp_path, allow=["whoami"])

    thread = await ran(tools, tools.by_name["apart.whoami"]())

    pid = int(outcomes(thread)[0][1].rpartition(" ")[2])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_program_that_cannot_be_started_is_said(tmp_path: Path):
    with pytest.raises(Unreachable, match="no-such-program cannot be started"):
        await tools_of(tmp_path, Stdio("no-such-program")).check()
    nowhere = Stdio(stdio(tmp_path).command, ["/no/such/file.py"])
    with pytest.raises(Unreachable, match="No such file or directory"):
        await tools_of(tmp_path, nowhere).check()


async def test_only_steps_of_these_tools_are_run(tmp_path: Path):
    tools = await accepted(tmp_path)
    other = tools_of(tmp_path)

    with pytest.raises(ConfigurationError, match="not a step of these"):
        tools.run(write(other))


async def test_nothing_is_offered_before_it_is_accepted(tmp_path: Path):
    tools = tools_of(tmp_path)

    with pytest.raises(ToolRefused, match=r"apart\.write is in no lock file.*mcp accept"):
        _ = tools.steps
    assert {tool["name"] for tool in (await tools.offered())["apart"]} == {
        "write",
        "secret",
        "whoami",
    }
    assert not (tmp_path / "mcp.lock.json").exists()


async def test_a_server_that_asks_back_is_answered_by_the_user_alone(tmp_path: Path):
    asked: list[Question] = []

    async def answers(question: Question) -> Any:
        asked.append(question)
        return {"sure": True} if len(asked) == 1 else None

    more: Any = {"protocol": "2025-11-25"}
    tools = await accepted(tmp_path, answers=answers, **more)
    step = write(tools, how="ask")
    answered = await ran(tools, step, step)
    silent = await accepted(tmp_path, **more)
    refused = await ran(silent, write(silent, how="ask"))

    assert [result for _, result in outcomes(answered)] == [
        "accept {'n': 7, 'sure': True}",  # what was left out has its default
        "decline None",
    ]
    assert (asked[0].server, asked[0].tool, asked[0].message) == ("apart", "write", "Sure?")
    assert [kind for kind, _ in outcomes(refused)] == ["tool_outcome_unknown"]


def test_the_import_loads_no_sdk_and_without_it_the_line_to_run_is_said(tmp_path: Path):
    program = """
import asyncio, sys
sys.modules["mcp"] = None
from mcp_apart import caller, outcomes, ran, tools_of, write
from pathlib import Path
from twelvefold.exceptions import ConfigurationError

tools = tools_of(Path(sys.argv[1]))
try:
    asyncio.run(tools.check())
except ConfigurationError as error:
    print(error)
print(outcomes(asyncio.run(ran(tools, write(tools)))))
"""
    asyncio.run(accepted(tmp_path))
    command = [sys.executable, "-c", program, str(tmp_path)]
    ran_apart = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )

    first, second = ran_apart.stdout.splitlines()
    assert "pip install 'twelvefold[mcp]'" in first
    assert second.startswith("[('tool_failed', ")
    assert "pip install 'twelvefold[mcp]'" in second


async def test_a_header_holds_a_secret(tmp_path: Path):
    with http(tmp_path) as at:
        tools = await accepted(tmp_path, at)
        signed = Http(at.url, headers={"Authorization": SecretRef("apart")})
        other = tools_of(tmp_path, signed)
        thread = await ran(other, write(other), secrets={"apart": "Bearer x"})
        refused = await ran(other, write(other))

    assert outcomes(thread) == [("tool_returned", "wrote a")]
    assert outcomes(refused)[0][0] == "tool_failed"
    assert tools.by_name
