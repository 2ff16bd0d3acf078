"""A trace goes on in other processes: what HTTP brought is in the log, and workers link to it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.api_world import visiting
from server.tracing_worker import traced

pytestmark = pytest.mark.anyio
HERE = Path(__file__).parent
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}


def spans_of_a_worker(folder: Path) -> list[dict[str, Any]]:
    path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    ran = subprocess.run(
        [sys.executable, str(HERE / "tracing_worker.py"), str(folder)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def linked(span: dict[str, Any]) -> set[tuple[str, str]]:
    found = (link["context"] for link in span["links"])
    return {
        (one["trace_id"].removeprefix("0x"), one["span_id"].removeprefix("0x")) for one in found
    }


async def test_a_launch_by_http_and_two_workers_are_one_trace(tmp_path: Path):
    app = traced(tmp_path)
    async with visiting(app) as client:
        body = {"agent": "crew", "input": "go", "id": "t"}
        assert (await client.post("/v1/threads", json=body, headers=HEADERS)).status_code == 201
        first = spans_of_a_worker(tmp_path)
        contact = "/v1/contacts/t.s1.1"
        yes = {"decision": "approve", "digest": (await client.get(contact)).json()["digest"]}
        assert (await client.post(f"{contact}/answer", json=yes)).status_code == 200
        second = spans_of_a_worker(tmp_path)

    assert [span["name"] for span in first] == ["invoke_agent crew"]
    assert [span["name"] for span in second] == ["execute_tool pay", "invoke_agent crew"]
    assert linked(first[-1]) == linked(second[-1]) == {(TRACE_ID, SPAN_ID)}
    assert app.thread("t").events[-1].type == "finished"
