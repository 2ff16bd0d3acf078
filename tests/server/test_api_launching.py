"""Launches over HTTP: what is kept beside the message, and an id that is there already."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from crew import Clock, Look, Pay, app_of, approved_then, pipeline, settle
from server.api_world import visiting
from twelvefold.app import App
from twelvefold.context.shown import view
from twelvefold.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
V1 = "/v1/threads"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GO = {"agent": "crew", "input": "go", "id": "rent-11"}
OTHER = GO | {"input": "and the plumber"}


@pytest.fixture
def app(tmp_path: Path) -> App:
    paying = approved_then(lambda step: f"paid {step.to}")
    agents = [
        pipeline(Pay(to="the baker"), carry_out=paying),
        pipeline(Look(), carry_out=lambda chosen: None, name="other"),
    ]
    return app_of(agents, SqliteStore(tmp_path / "api.db"), clock=Clock())


def texts(app: App, id: str = "rent-11") -> list[str]:
    events = app.thread(id).events
    return [event.data["text"] for event in events if event.type == "message_received"]


async def launched(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> Any:
    return await client.post(V1, json=body, headers=headers)


async def test_metadata_is_kept_for_code_and_no_model_is_shown_it(app: App):
    async with visiting(app) as client:
        answer = await launched(client, GO | {"metadata": {"order": 7, "from": "eve"}})

    [first] = app.thread("rent-11").events
    assert answer.status_code == 201
    assert first.data["metadata"] == {"order": 7, "from": "eve"}
    assert first.data["from"] == "anna"
    assert view(first) == ("user_message", {"from": "anna", "text": "go"})


async def test_metadata_is_part_of_what_makes_a_launch_the_same(app: App):
    async with visiting(app) as client:
        codes = [
            (await launched(client, GO | {"metadata": {"order": n}})).status_code for n in (7, 7, 8)
        ]

    assert codes == [201, 201, 409]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (TRACE, TRACE),
        (TRACE.replace("00-", "cc-", 1) + "-more", TRACE.replace("00-", "cc-", 1)),
        ("", None),
        ("garbage", None),
        (TRACE + "0", None),
        (TRACE.upper(), None),
        (TRACE.replace("00-", "ff-", 1), None),
        ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01", None),
    ],
)
async def test_a_trace_is_kept_with_the_message_and_one_that_is_none_is_not(
    given: str, kept: str | None, app: App
):
    async with visiting(app) as client:
        begun = await launched(client, GO, traceparent=given)
        sent = await client.post(
            f"{V1}/rent-11/messages", json={"text": "hurry"}, headers={"traceparent": given}
        )

    assert (begun.status_code, sent.status_code) == (201, 200)
    events = app.thread("rent-11").events
    assert [event.data.get("traceparent") for event in events] == [kept, kept]
    assert view(events[0]) == ("user_message", {"from": "anna", "text": "go"})


async def test_each_try_of_a_launch_has_a_trace_of_its_own_and_is_the_same_launch(app: App):
    again = TRACE.replace("00f0", "11f0")
    async with visiting(app) as client:
        codes = [(await launched(client, GO, traceparent=t)).status_code for t in (TRACE, again)]

    assert codes == [201, 201]
    assert app.thread("rent-11").events[0].data["traceparent"] == TRACE


async def test_an_id_that_is_there_fails_returns_or_sends_as_is_wished(app: App):
    async with visiting(app) as client:
        await launched(client, GO)
        failed = await launched(client, OTHER)
        found = await launched(client, OTHER | {"on_conflict": "return"})
        before = texts(app)
        sent = await launched(client, OTHER | {"on_conflict": "send", "metadata": {"order": 8}})

    assert (failed.status_code, found.status_code, sent.status_code) == (409, 200, 200)
    assert before == ["go"]
    assert (found.json()["head"], sent.json()["head"]) == (1, 2)
    assert found.headers["location"] == sent.headers["location"] == f"{V1}/rent-11"
    assert texts(app) == ["go", "and the plumber"]
    assert app.thread("rent-11").events[1].data["metadata"] == {"order": 8}


@pytest.mark.parametrize("on_conflict", ["fail", "return", "send"])
async def test_an_id_that_is_not_there_is_begun_whatever_is_wished(on_conflict: str, app: App):
    async with visiting(app) as client:
        begun = await launched(client, GO | {"on_conflict": on_conflict})
        without = await launched(
            client, {"agent": "crew", "input": "go", "on_conflict": on_conflict}
        )

    assert (begun.status_code, without.status_code, len(app.threads())) == (201, 201, 2)


async def test_the_same_words_sent_twice_are_two_messages(app: App):
    async with visiting(app) as client:
        for _ in range(3):
            await launched(client, GO | {"on_conflict": "send"})

    assert texts(app) == ["go"] * 3


async def test_with_a_key_the_same_words_are_one_message(app: App):
    body, key = OTHER | {"on_conflict": "send"}, {"Idempotency-Key": "one"}
    async with visiting(app) as client:
        await launched(client, GO)
        codes = [(await launched(client, body, **key)).status_code for _ in range(2)]

    assert (codes, texts(app)) == ([200, 200], ["go", "and the plumber"])


@pytest.mark.parametrize("on_conflict", ["return", "send"])
async def test_a_thread_of_another_agent_is_neither_returned_nor_sent_to(
    on_conflict: str, app: App
):
    async with visiting(app) as client:
        await launched(client, GO)
        answer = await launched(client, GO | {"agent": "other", "on_conflict": on_conflict})

    assert (answer.status_code, texts(app)) == (409, ["go"])
    assert "a thread of crew" in answer.json()["detail"]


async def test_another_tenants_thread_is_in_nobodys_way(app: App):
    async with visiting(app) as client:
        await launched(client, GO)
        theirs = await launched(
            client, OTHER | {"on_conflict": "return"}, Authorization="Bearer stranger"
        )

    assert (theirs.status_code, theirs.json()["title"]) == (201, "and the plumber")
    assert texts(app) == ["go"]


async def test_nothing_is_sent_to_a_thread_that_has_ended_for_good(app: App):
    async with visiting(app) as client:
        await launched(client, GO)
        await client.post(f"{V1}/rent-11/cancel")
        sent = await launched(client, OTHER | {"on_conflict": "send"})
        found = await launched(client, OTHER | {"on_conflict": "return"})

    assert (sent.status_code, found.status_code) == (409, 200)
    assert found.json()["status"] == "cancelled"


async def test_of_many_at_once_one_begins_the_thread_and_no_message_is_lost(app: App):
    bodies = [GO | {"input": f"message {n}", "on_conflict": "send"} for n in range(5)]
    async with visiting(app) as client:
        answers = await asyncio.gather(*[launched(client, body) for body in bodies])

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert sorted(texts(app)) == [body["input"] for body in bodies]


async def test_a_message_with_metadata_does_not_change_how_the_thread_goes_on(app: App):
    async with visiting(app) as client:
        await launched(client, GO | {"metadata": {"channel": "slack", "conversation": "C1"}})
    await settle(app)

    assert [row.id for row in app.inbox()] == ["s1.1"]
    assert [e for e in app.thread("rent-11").events if e.type == "contact_not_sent"] == []
