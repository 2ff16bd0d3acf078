"""The client and the server together: every verb, over a socket."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from clients import KINDS, client_of

from crew import Pay, Question, approved_then, asking, chat, pipeline
from server.streaming import Served, serve
from twelvefold.app import App
from twelvefold.client import Retries
from twelvefold.effects import Approve, WaitFor, escalate
from twelvefold.exceptions import (
    AlreadyDecided,
    Conflict,
    InvalidAnswer,
    NotAllowed,
    NotPermitted,
    NotSignedIn,
    UnknownAgent,
    UnknownContact,
    UnknownThread,
    Unreachable,
)
from twelvefold.models.scripted import ScriptedModel
from twelvefold.stores import open_store

ALL = {"X-Scopes": "threads:read threads:write contacts:read contacts:answer"}


def carry_out(chosen: Any) -> Any:
    if isinstance(chosen.step, Question):
        return asking(chosen)
    if isinstance(chosen.step, Pay) and chosen.step.to == "the builder":
        hour = timedelta(hours=1)
        return Approve(
            chosen.step, by="anna", within=hour, on_expiry=escalate(to="olga", within=hour)
        )
    if isinstance(chosen.step, Pay):
        return approved_then(lambda step: f"paid {step.to}")(chosen)
    return WaitFor(chosen.step, "merged")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    agents = [
        pipeline(Pay(to="the baker"), carry_out=carry_out, name="payer"),
        pipeline(Question(), carry_out=carry_out, name="asker"),
        pipeline(Pay(to="the builder"), carry_out=carry_out, name="patient"),
        chat(carry_out, name="chat"),
    ]
    model = ScriptedModel(lambda request: {"intent": "question", "text": "Which?"})
    app = App(agents, store=open_store(str(tmp_path / "threads.db")), model=model)
    yield app
    app.close()


@pytest.fixture
def served(app: App) -> Iterator[Served]:
    with serve(app) as served:
        yield served


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, served: Served) -> Iterator[Any]:
    made = client_of(request.param, served.url, headers=ALL)
    yield made
    made.close()


def work(app: App) -> None:
    asyncio.run(app.run(until_idle=True))


def test_a_thread_is_launched_listed_and_read(client: Any, app: App):
    first = client.launch("payer", "pay him", id="t1")
    client.launch("asker", "ask him")
    work(app)

    assert (first.id, first.agent, first.head, first.title) == ("t1", "payer", 1, "pay him")
    assert first.created_at == app.thread("t1").events[0].at
    thread = client.thread("t1")
    [wait] = thread.waits
    assert (thread.status, wait.kind, wait.name) == ("waiting", "contact", "t1.s1.1")
    assert [one.agent for one in client.threads(limit=1)] == ["asker", "payer"]
    assert [one.id for one in client.threads(agent="payer", status="waiting")] == ["t1"]
    assert list(client.events("t1", limit=1)) == list(app.thread("t1").events)
    assert list(client.events("t1", after=1)) == list(app.thread("t1").events)[1:]


def test_a_contact_is_read_and_decided(client: Any, app: App):
    client.launch("payer", "pay him", id="t1")
    work(app)

    [listed] = client.contacts(status="open", to="me", risk="high")
    contact = client.contact(listed.id)
    assert (contact.id, contact.kind, contact.args) == ("t1.s1.1", "approval", {"to": "the baker"})
    assert set(contact.accepts) >= {"approve", "deny", "edit"}
    assert contact.edit_schema["properties"].keys() == {"to"}
    with pytest.raises(InvalidAnswer) as wrong:
        client.answer(contact, "edit", changes={"whom": "ben"})
    assert "whom" in str(wrong.value)
    client.remind(contact)

    answered = client.answer(contact, "edit", changes={"to": "the butcher"})
    assert (answered.status, answered.decided.by, answered.decided.channel) == (
        "closed",
        "anna",
        "api",
    )
    with pytest.raises(AlreadyDecided) as late:
        client.answer(contact, "approve")
    assert (late.value.by, late.value.outcome) == ("anna", answered.outcome)


def test_a_question_is_answered_or_passed_on(client: Any, app: App):
    client.launch("asker", "ask him", id="t1")
    work(app)

    with pytest.raises(InvalidAnswer, match="answer"):
        client.answer("t1.s1.1", "approve", digest="x")
    assert client.reassign("t1.s1.1", to="ben", comment="he knows").asked_of == "ben"
    with pytest.raises(NotAllowed, match="may not answer"):
        client.escalate("t1.s1.1", comment="beyond me")
    client.launch("patient", "pay him", id="t3")
    work(app)
    assert client.escalate("t3.s1.1", comment="beyond me").asked_of == "olga"
    [moved] = [e for e in client.events("t3") if e.type == "contact_escalated"]
    assert moved.data["comment"] == "beyond me"
    client.launch("asker", "ask him", id="t2")
    work(app)
    assert client.answer("t2.s1.1", "answer", value="the left one").outcome == "answered"
    work(app)
    assert client.thread("t2").status == "finished"


def test_a_thread_is_sent_things_and_controlled(client: Any, app: App):
    client.launch("chat", "hello", id="t1")
    work(app)

    assert client.pause("t1").status == "paused"
    with pytest.raises(Conflict, match="paused"):
        client.pause("t1")
    assert client.resume("t1").status == "waiting"
    client.send("t1", "more", key="d1")
    head = client.send("t1", "more", key="d1").head
    assert client.signal("t1", "merged", {"sha": "4af"}, key="d1-signal").head == head + 1
    texts = [e.data["text"] for e in client.events("t1") if e.type == "message_received"]
    assert texts == ["hello", "more"]
    with pytest.raises(Conflict, match="has not failed"):
        client.retry("t1")
    assert client.cancel("t1", reason="enough").status == "cancelled"
    assert app.thread("t1").events[-1].data == {"by": "anna", "reason": "enough"}


def test_an_id_that_is_there_is_met_as_is_wished(client: Any, app: App):
    client.launch("chat", "hello", id="t1", metadata={"order": 7})

    with pytest.raises(Conflict, match="another thread"):
        client.launch("chat", "and more", id="t1")
    assert client.launch("chat", "and more", id="t1", on_conflict="return").head == 1
    assert client.launch("chat", "and more", id="t1", on_conflict="send").head == 2
    assert [e.data.get("metadata") for e in client.events("t1")] == [{"order": 7}, None]


def test_a_log_is_copied_checked_and_shown(client: Any, app: App):
    client.launch("chat", "hello", id="t1")
    work(app)

    copy = client.fork("t1", 1, edits={1: {"from": "anna", "text": "good-bye"}})
    assert client.thread(copy.id).title == "good-bye"
    found = client.verify("t1")
    assert (found.thread, found.valid, found.broken_at) == ("t1", True, None)
    assert found.events == client.thread("t1").head
    context = client.context("t1")
    assert (context.thread, context.same) == ("t1", True)
    assert "hello" in context.messages[0]["parts"][0]["text"]
    assert client.context("t1", at=context.at).hash == context.recorded_hash


def test_agents_say_what_they_may_choose(client: Any):
    assert [agent.name for agent in client.agents()] == ["payer", "asker", "patient", "chat"]
    payer = client.agent("payer")
    [pay] = [step for step in payer.steps if step.intent == "pay"]
    assert (pay.risk, pay.needs_approval, payer.owner) == ("high", True, "olga")
    assert pay.schema["properties"]["to"] == {"title": "To", "type": "string"}


def test_what_is_not_there_is_not_found(client: Any):
    for verb in (client.thread, client.pause, client.verify, client.context, client.fork):
        with pytest.raises(UnknownThread):
            verb("t9")
    for found in (client.events("t9"), client.follow("t9")):
        with pytest.raises(UnknownThread):
            next(found)
    with pytest.raises(UnknownContact):
        client.contact("t9.s1.1")
    with pytest.raises(UnknownAgent):
        client.launch("nobody", "go")


def test_who_may_not_is_told_so(served: Served):
    reader = client_of("sync", served.url, headers={"X-Scopes": "threads:read"})
    nobody = client_of("sync", served.url, headers={"X-Tenant": "nobody"})

    with pytest.raises(NotPermitted, match="threads:write"):
        reader.launch("payer", "go")
    with pytest.raises(NotSignedIn):
        nobody.agent("payer")
    reader.close()
    nobody.close()


def test_nobody_there_is_unreachable():
    client = client_of("sync", "http://127.0.0.1:9", retries=Retries(tries_max=2, wait_first_s=0))

    with pytest.raises(Unreachable, match="GET /v1/threads/t1"):
        client.thread("t1")
    client.close()


def test_following_goes_on_over_a_server_that_is_started_anew(client: Any, app: App):
    client.launch("payer", "pay him", id="t1")
    found = client.follow("t1")
    assert next(found).seq == 1

    def append() -> None:
        for n in range(5):
            app.sync.send("t1", f"and {n}")

    appending = threading.Thread(target=append)
    appending.start()
    assert [event.seq for event in islice(found, 5)] == [2, 3, 4, 5, 6]
    appending.join()
    found.close()
