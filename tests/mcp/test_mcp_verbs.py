"""The four tools that every client has, and what is offered of an application."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mcp_world import FORMS, NOTHING, OURS, Client, Part, World, accept, clients, echo, text_of
from pydantic import BaseModel, Field

from twelvefold import Agent, App
from twelvefold.exceptions import ConfigurationError, UnknownAgent
from twelvefold.mcp import Offer, Settings, mcp_app
from twelvefold.testing import MemoryStore


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def http(world: World) -> Iterator[TestClient]:
    with clients(world) as found:
        yield found


@pytest.fixture
def anna(world: World, http: TestClient) -> Client:
    return Client(world, http)


def test_a_client_sees_the_verbs_and_the_offered_agents(anna: Client):
    tools = {tool["name"]: tool for tool in anna.ask("tools/list")["tools"]}

    agents = {"till", "four_eyes", "asker", "parent", "breaks", "says"}
    assert set(tools) == {"launch", "send", "get_thread", "answer"} | agents
    assert tools["get_thread"]["annotations"]["readOnlyHint"] is True
    assert tools["till"]["inputSchema"]["required"] == ["input"]
    assert tools["till"]["inputSchema"]["additionalProperties"] is False


def test_a_thread_is_launched_and_looked_at(anna: Client):
    made = anna.call("launch", {"agent": "echo", "input": "hello", "id": "mine"})
    again = anna.call("launch", {"agent": "echo", "input": "hello", "id": "mine"})

    seen = anna.call("get_thread", {"thread": "mine"})["structuredContent"]

    assert made["structuredContent"]["id"] == again["structuredContent"]["id"] == "mine"
    assert seen["status"] == "finished"
    assert [event["type"] for event in seen["events"]] == ["message_received", "finished"]
    assert seen["events"][0]["data"]["from"] == "anna"
    after = anna.call("get_thread", {"thread": "mine", "after": 1, "limit": 1})
    assert [e["seq"] for e in after["structuredContent"]["events"]] == [2]


def test_a_message_is_from_whoever_calls(world: World, anna: Client):
    anna.call("launch", {"agent": "asker", "input": "Which", "id": "mine"})

    for _ in range(2):
        anna.call("send", {"thread": "mine", "text": "hurry", "id": "once"})

    [_, sent] = [
        e.data for e in world.app.thread("mine", tenant=OURS).events if e.type == "message_received"
    ]
    assert sent == {"channel": "mcp", "from": "anna", "text": "hurry"}


def test_a_question_is_answered_by_what_is_written(world: World, anna: Client):
    anna.call("launch", {"agent": "asker", "input": "Which", "id": "mine"})

    said = anna.call("answer", {"contact": "mine.s1.1", "answer": "the left one"})
    late = anna.call("answer", {"contact": "mine.s1.1", "answer": "the right one"})

    assert said["structuredContent"]["id"] == "mine"
    assert late["isError"]
    assert world.app.thread("mine", tenant=OURS).events[-1].data["message"] == (
        "heard 'the left one'"
    )


def test_an_answer_of_another_form_is_refused(anna: Client):
    anna.call("launch", {"agent": "asker", "input": "Is it?", "id": "mine"})

    said = anna.call("answer", {"contact": "mine.s1.1", "answer": "perhaps"})

    assert said["isError"]
    assert "Nothing was done" in text_of(said)


def test_an_approval_is_asked_in_a_form_whatever_the_call_says(world: World, http: TestClient):
    anna = Client(world, http, able=FORMS)
    anna.call("launch", {"agent": "till", "input": "small 5", "id": "mine"})
    call = {"contact": "mine.s1.1", "answer": "approve"}

    asked = anna.call("answer", call)
    ((key, request),) = asked["inputRequests"].items()
    assert world.ledger.paid == []
    assert "euros  5" in request["params"]["message"]

    refused = anna.call("answer", call, inputResponses={key: {"action": "cancel"}})
    assert text_of(refused) == "Nothing was decided."
    anna.call("answer", call, inputResponses={key: accept(decision="approve")})
    assert world.ledger.paid == [5]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("launch", {}),
        ("launch", {"agent": "echo"}),
        ("launch", {"agent": "echo", "input": ""}),
        ("launch", {"agent": "echo", "input": "x", "tenant": "umbrella"}),
        ("launch", {"agent": "echo", "input": "x", "id": "a.b"}),
        ("launch", {"agent": "nobody", "input": "x"}),
        ("send", {"thread": "t", "text": "x", "sender": "ben"}),
        ("get_thread", {"thread": "t", "limit": 501}),
        ("get_thread", {"thread": "t", "after": -1}),
        ("answer", {"contact": "nonsense"}),
        ("answer", {"contact": ""}),
        ("answer", {"contact": "t.s1.1", "by": "ben"}),
        ("till", {}),
        ("till", {"input": 5}),
        ("till", {"input": "small 5", "sender": "ben"}),
    ],
)
def test_what_is_no_call_says_so_and_does_nothing(
    world: World, anna: Client, tool: str, arguments: Any
):
    said = anna.call(tool, arguments)

    assert said["isError"]
    assert text_of(said)
    assert world.app.threads(tenant=OURS) == []


# Offers


class Order(BaseModel):
    order: int = Field(ge=1, description="Its number.")
    reason: str


def made(*offers: Offer | str) -> Any:
    app = App([Agent("echo", echo, Part, owner="olga")], store=MemoryStore())
    return mcp_app(app, offers=offers or None)


def test_arguments_are_the_first_message_as_json():
    offer = Offer(agent="echo", takes=Order)

    assert offer.text({"order": 7, "reason": "lost"}) == '{"order":7,"reason":"lost"}'
    assert offer.schema()["required"] == ["order", "reason"]


def test_fields_that_a_person_is_asked_for_may_be_missing():
    offer = Offer(agent="echo", takes=Order, asks=("reason",))

    assert offer.schema()["required"] == ["order"]
    assert offer.missing({"order": 7}) == ["reason"]
    assert list(offer.form(["reason"])["properties"]) == ["reason"]


@pytest.mark.parametrize(
    ("offers", "error", "why"),
    [
        ([Offer(agent="nobody")], UnknownAgent, "no agent 'nobody'"),
        (["echo", "echo"], ConfigurationError, "Two tools"),
        ([Offer(agent="echo", name="send")], ConfigurationError, "Two tools"),
        ([Offer(agent="echo", name="no spaces")], ConfigurationError, "cannot name"),
        ([Offer(agent="echo", asks=("what",))], ConfigurationError, "which"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused_at_once(offers: Any, error: Any, why: str):
    with pytest.raises(error, match=why):
        made(*offers)


@pytest.mark.parametrize("settings", [{"poll_ms": 0}, {"wait_s": -1}])
def test_settings_that_make_no_sense_are_refused(settings: Any):
    with pytest.raises(ConfigurationError):
        Settings(**settings)


def test_a_person_is_asked_for_what_a_call_lacks():
    world = World(runs=True)
    with clients(world) as http:
        tools = Client(world, http, able=NOTHING)
        assert "input" in text_of(tools.call("says", {}))
