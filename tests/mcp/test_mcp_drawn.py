"""Whatever a client sends: no error of ours, and a yes is exactly a yes."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp_world import OURS, Client, World, clients

SETTINGS = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
INVALID = {-32602, -32600, -32601}

words = st.sampled_from(["approve", "deny", "accept", "decision", "s1.1", "", "\u202e", "\ud800"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
responses = values | st.builds(
    lambda action, content: {"action": action, "content": content},
    st.sampled_from(["accept", "accept", "decline", "cancel"]) | values,
    st.dictionaries(st.sampled_from(["decision", "comment", "answer", "edits"]), values, max_size=3)
    | values,
)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def http(world: World) -> Iterator[TestClient]:
    with clients(world) as found:
        yield found


def is_yes(response: Any) -> bool:
    if not isinstance(response, dict) or response.get("action") != "accept":
        return False
    content = response.get("content")
    return (
        isinstance(content, dict)
        and content.get("decision") == "approve"
        and set(content) <= {"decision", "comment"}
        and isinstance(content.get("comment", ""), str | None)
    )


@SETTINGS
@given(response=responses)
def test_only_a_yes_is_a_yes(world: World, http: TestClient, response: Any):
    anna, before = Client(world, http), len(world.ledger.paid)
    task_id = anna.began("till", input="small 5")
    key, _ = anna.asked(task_id)

    answered = anna.raw("tasks/update", {"taskId": task_id, "inputResponses": {key: response}})
    world.advance()

    assert answered.status_code in (200, 400)
    if answered.status_code == 400:
        assert answered.json()["error"]["code"] in INVALID
    assert len(world.ledger.paid) == before + is_yes(response)


@SETTINGS
@given(
    method=st.sampled_from(["tasks/get", "tasks/update", "tasks/cancel"]),
    params=st.dictionaries(st.sampled_from(["taskId", "inputResponses", "x"]), values, max_size=3),
)
def test_no_parameters_are_an_error_of_ours(
    world: World, http: TestClient, method: str, params: Any
):
    answered = Client(world, http).raw(method, params)

    assert answered.status_code in (400, 404)
    assert answered.json()["error"]["code"] in {*INVALID, -32020, -32700}


@SETTINGS
@given(
    tool=st.sampled_from(["launch", "send", "get_thread", "answer", "till", "asker"]),
    arguments=st.dictionaries(
        st.sampled_from(["agent", "input", "thread", "text", "contact", "answer", "after", "id"]),
        values | st.just("echo"),
        max_size=4,
    ),
)
def test_no_arguments_are_an_error_of_ours(
    world: World, http: TestClient, tool: str, arguments: Any
):
    answered = Client(world, http).raw("tools/call", {"name": tool, "arguments": arguments})
    world.advance()

    assert answered.status_code in (200, 400)
    said = answered.json()
    assert "result" in said or said["error"]["code"] in {*INVALID, -32700}


def test_the_thread_of_a_yes_holds_no_refusal(world: World):
    for row in world.app.threads(tenant=OURS, limit=1000):
        events = world.app.thread(row.ref.id, tenant=OURS).events
        assert [event for event in events if event.type == "answer_refused"] == []
