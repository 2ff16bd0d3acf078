"""Agents, contexts and the chain over HTTP."""

import sqlite3
from pathlib import Path

import pytest

from crew import Done, Look, Pay, app_of, approved_then, chat, pipeline, ran_by, settle
from server.api_world import as_, visiting
from twelvefold.app.requests import request_at
from twelvefold.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio


async def test_an_agent_shows_its_steps_their_risk_and_what_needs_a_yes(tmp_path: Path):
    app = app_of(
        pipeline(Pay(to="b"), carry_out=approved_then(str)), SqliteStore(tmp_path / "a.db")
    )
    async with visiting(app) as client:
        listed = (await client.get("/v1/agents")).json()["data"]
        one = (await client.get("/v1/agents/crew")).json()
        missing = await client.get("/v1/agents/nobody")

    steps = {step["intent"]: step for step in one["steps"]}
    assert listed == [one]
    assert (one["name"], one["owner"], one["limits"]["steps"]) == ("crew", "olga", 20)
    assert (steps["pay"]["risk"], steps["pay"]["needs_approval"]) == ("high", True)
    assert steps["look"]["needs_approval"] is False
    assert "to" in steps["pay"]["schema"]["properties"]
    assert (missing.status_code, missing.json()["type"].rpartition("/")[2]) == (
        404,
        "unknown-agent",
    )


async def test_a_context_is_what_the_model_was_sent_to_the_byte(tmp_path: Path):
    agent = chat(ran_by(lambda step: ["v1"], retry_safe=True))
    app = app_of(agent, SqliteStore(tmp_path / "a.db"), Look(), Done())
    await app.launch("crew", "look around", thread_id="t")
    await settle(app)
    reply = next(e.seq for e in app.thread("t").events if e.type == "next_step_chosen")
    sent = request_at(app.thread("t"), agent, reply).request
    async with visiting(app) as client:
        context = (await client.get(f"/v1/threads/t/context?at={reply}")).json()
        newest = (await client.get("/v1/threads/t/context")).json()
        nowhere = await client.get("/v1/threads/t/context?at=99")
        foreign = await client.get("/v1/threads/t/context", headers=as_("stranger"))

    texts = ["".join(part["text"] for part in m["parts"]) for m in context["messages"]]
    assert texts == [message.text for message in sent.messages]
    assert (context["hash"], context["same"], context["at"]) == (sent.hash(), True, reply)
    assert newest["at"] > reply
    assert (nowhere.status_code, foreign.status_code) == (404, 404)


async def test_verify_names_the_first_event_that_is_not_what_was_written(tmp_path: Path):
    path = tmp_path / "a.db"
    app = app_of(pipeline(Look(), carry_out=ran_by(str, retry_safe=True)), SqliteStore(path))
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    async with visiting(app) as client:
        whole = (await client.get("/v1/threads/t/verify")).json()
        with sqlite3.connect(path) as db:
            db.execute("update twelvefold_events set data = '{}' where seq = 2")
        db.close()
        broken = (await client.get("/v1/threads/t/verify")).json()

    head = app.store.thread_row("t").head
    assert whole == {
        "thread": "t",
        "valid": True,
        "events": head,
        "erased": 0,
        "broken_at": None,
        "why": None,
    }
    assert (broken["valid"], broken["broken_at"]) == (False, 2)
    assert broken["why"]


async def test_a_wrong_method_is_told_which_ones_there_are(tmp_path: Path):
    app = app_of(pipeline(Look(), carry_out=ran_by(str)), SqliteStore(tmp_path / "a.db"))
    async with visiting(app) as client:
        answer = await client.request("DELETE", "/v1/threads")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json()["type"].endswith("/no-such-method")


async def test_what_nobody_expected_is_a_problem_and_a_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    app = app_of(pipeline(Look(), carry_out=ran_by(str)), SqliteStore(tmp_path / "a.db"))
    app.agents["crew"] = None  # pyright: ignore[reportArgumentType]
    async with visiting(app) as client:
        answer = await client.get("/v1/agents")

    assert (answer.status_code, answer.json()["retryable"]) == (500, False)
    assert "GET /v1/agents failed" in caplog.text
    assert "NoneType" not in answer.text


async def test_the_catalogue_holds_every_kind_of_refusal_with_what_to_do(tmp_path: Path):
    app = app_of(pipeline(Look(), carry_out=ran_by(str)), SqliteStore(tmp_path / "a.db"))
    async with visiting(app, who="nobody") as client:
        found = (await client.get("/v1/problems")).json()["data"]

    types = [one["type"].rpartition("/")[2] for one in found]
    assert {"already-decided", "expired", "in-flight", "moved", "not-signed-in"} <= set(types)
    assert len(types) == len(set(types))
    assert all(one["detail"].endswith(".") for one in found)
