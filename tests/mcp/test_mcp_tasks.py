"""Agents as tasks: what a client sees of a thread, from its first event to its first end."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mcp_world import (
    FORMS,
    FORMS_AND_TASKS,
    NOTHING,
    OURS,
    TASKS_ALONE,
    Client,
    World,
    accept,
    clients,
    text_of,
)

from twelvefold.mcp.tasks import detailed, task_of

UNKNOWN, MISMATCH, MISSING, NO_METHOD = -32602, -32020, -32021, -32601


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


def test_a_call_begins_a_task_that_is_there_at_once(world: World, anna: Client):
    made = anna.ask("tools/call", name="asker", arguments={"input": "Which one"})

    assert made["resultType"] == "task"
    assert made["status"] == "working"
    assert (made["ttlMs"], made["pollIntervalMs"]) == (None, 10)
    assert anna.task(made["taskId"])["createdAt"] == made["createdAt"]
    began = world.app.thread(made["taskId"], tenant=OURS).events[0].data
    assert began == {"tool": "asker", "channel": "mcp", "from": "anna", "text": "Which one"}


def test_a_question_is_answered_by_a_form_and_the_result_is_there(anna: Client):
    task_id = anna.began("asker", input="Which one")
    key, asked = anna.asked(task_id)

    assert asked["requestedSchema"]["required"] == ["answer"]
    anna.answers(task_id, **{key: accept(answer="the left one")})

    done = anna.task(task_id)
    assert (done["status"], done["resultType"]) == ("completed", "complete")
    assert text_of(done["result"]) == "heard 'the left one'"
    assert not done["result"]["isError"]


def test_a_yes_or_no_is_a_checkbox(anna: Client):
    task_id = anna.began("asker", input="Is it?")
    key, asked = anna.asked(task_id)

    assert asked["requestedSchema"]["properties"]["answer"] == {"type": "boolean"}
    anna.answers(task_id, **{key: accept(answer=False)})
    assert text_of(anna.task(task_id)["result"]) == "heard False"


def test_an_approval_shows_what_would_happen_and_a_yes_does_it(world: World, anna: Client):
    task_id = anna.began("till", input="small 5")
    key, asked = anna.asked(task_id)

    assert "wants   small    low risk" in asked["message"]
    assert "euros  5" in asked["message"]
    assert asked["requestedSchema"]["properties"]["decision"]["enum"] == ["approve", "deny"]
    anna.answers(task_id, **{key: accept(decision="approve")})

    assert text_of(anna.task(task_id)["result"]) == "5 euros are back"
    assert world.ledger.paid == [5]
    [vote] = [e.data for e in events(world, task_id) if e.type == "contact_answered"]
    assert (vote["by"], vote["channel"], vote["assurance"]) == ("anna", "mcp", "mcp")


def events(world: World, thread_id: str) -> Any:
    return world.app.thread(thread_id, tenant=OURS).events


def test_a_no_says_why(world: World, anna: Client):
    task_id = anna.began("till", input="small 5")
    key, _ = anna.asked(task_id)

    anna.answers(task_id, **{key: accept(decision="deny", comment="too much")})

    assert "too much" in text_of(anna.task(task_id)["result"])
    assert world.ledger.paid == []


def test_whoever_declines_the_form_of_an_approval_says_no(world: World, anna: Client):
    task_id = anna.began("till", input="small 5")
    key, _ = anna.asked(task_id)

    anna.answers(task_id, **{key: {"action": "decline"}})

    assert "declined in a form" in text_of(anna.task(task_id)["result"])
    assert world.ledger.paid == []


@pytest.mark.parametrize("action", ["cancel", "decline"])
def test_a_form_that_is_put_away_leaves_a_question_to_others(anna: Client, action: str):
    task_id = anna.began("asker", input="Which one")
    key, _ = anna.asked(task_id)

    anna.answers(task_id, **{key: {"action": action}})

    assert anna.asked(task_id)[0] == key


def test_the_settings_of_the_application_say_what_a_form_may_settle():
    world = World(settles={"mcp": "medium"})
    with clients(world) as http:
        anna = Client(world, http)
        task_id = anna.began("till", input="big 5")
        key, _ = anna.asked(task_id)
        anna.answers(task_id, **{key: accept(decision="approve")})

        assert world.ledger.paid == [5]
        assert anna.task(anna.began("till", input="huge 5"))["status"] == "working"


def test_what_is_decided_elsewhere_shows_in_the_task(world: World, anna: Client):
    task_id = anna.began("till", input="huge 5")
    contact = f"{task_id}.s1.1"
    digest = world.app.inbox(tenant=OURS)[0].data["digest"]

    asyncio.run(world.app.answer(contact, "approve", by="anna", digest=digest, tenant=OURS))
    world.advance()

    assert text_of(anna.task(task_id)["result"]) == "5 euros are back"


def test_a_question_of_a_thread_that_it_launched_is_asked_in_the_task(anna: Client):
    task_id = anna.began("parent", input="Which one")
    key, _ = anna.asked(task_id)

    anna.answers(task_id, **{key: accept(answer="that one")})

    assert text_of(anna.task(task_id)["result"]) == "it heard 'that one'"


def test_the_task_of_an_agent_that_cannot_decide_has_failed(anna: Client):
    failed = anna.task(anna.began("breaks", input="x"))

    assert failed["status"] == "failed"
    assert failed["error"]["code"] == -32603
    assert "no decision" in failed["error"]["message"]
    assert "result" not in failed


def test_a_task_that_has_ended_never_changes(world: World, anna: Client):
    task_id = anna.began("says", input="one")
    done = anna.task(task_id)

    anna.call("send", {"thread": task_id, "text": "two"})
    anna.ask("tasks/cancel", taskId=task_id)

    assert anna.task(task_id) == done
    failed = anna.began("breaks", input="x")
    before = anna.task(failed)
    asyncio.run(world.app.retry(failed, tenant=OURS))
    anna.ask("tasks/cancel", taskId=failed)
    assert anna.task(failed) == before


def test_what_the_wire_cannot_hold_is_escaped(world: World, anna: Client):
    asyncio.run(world.app.launch("asker", "half \ud83d", thread_id="mine", tenant=OURS))
    world.advance()

    seen = anna.call("get_thread", {"thread": "mine"})["structuredContent"]
    refused = anna.raw("tools/call", {"name": "says", "arguments": {"input": "half \ud83d"}})

    assert seen["events"][0]["data"]["text"] == "half \\ud83d"
    assert refused.json()["result"]["isError"]


def test_a_cancelled_task_says_so_and_its_questions_are_gone(anna: Client):
    task_id = anna.began("asker", input="Which one")

    for _ in range(2):
        assert anna.ask("tasks/cancel", taskId=task_id)["resultType"] == "complete"

    gone = anna.task(task_id)
    assert gone["status"] == "cancelled"
    assert "inputRequests" not in gone


def test_a_paused_task_says_what_it_waits_for(world: World, anna: Client):
    task_id = anna.began("asker", input="Which one")

    asyncio.run(world.app.pause(task_id, tenant=OURS))

    paused = anna.task(task_id)
    assert paused["status"] == "working"
    assert "until somebody resumes it" in paused["statusMessage"]


def test_an_erased_task_is_not_there(world: World, anna: Client):
    task_id = anna.began("says", input="secret")

    asyncio.run(world.app.erase(task_id, tenant=OURS, by="olga", reason="asked"))

    assert anna.task(task_id)["code"] == UNKNOWN


def test_the_same_task_is_told_of_any_prefix_of_its_log(world: World, anna: Client):
    task_id = anna.began("till", input="small 5")
    key, _ = anna.asked(task_id)
    anna.answers(task_id, **{key: accept(decision="approve")})
    whole = world.app.thread(task_id, tenant=OURS)

    told = [detailed(task_of(whole.upto(n)), {}, poll_ms=1) for n in range(1, whole.head + 1)]

    assert {one["taskId"] for one in told} == {task_id}
    assert [one["status"] for one in told] == ["working"] * (whole.head - 1) + ["completed"]


# Clients that know less


def test_a_client_without_tasks_gets_the_result_when_it_is_there():
    world = World(runs=True)
    with clients(world) as http:
        anna = Client(world, http, able=NOTHING)

        said = anna.call("says", {"input": "it"})

        assert (said["resultType"], text_of(said)) == ("complete", "said it")


@pytest.mark.parametrize(("risk", "waits"), [("small", "anna"), ("huge", "anna")])
def test_a_client_without_forms_is_told_who_is_asked(risk: str, waits: str):
    world = World(runs=True)
    with clients(world) as http:
        anna = Client(world, http, able=NOTHING)

        said = anna.call("till", {"input": f"{risk} 5"})

        assert not said["isError"]
        assert f"waits for {waits}" in text_of(said)
        [row] = world.app.threads(tenant=OURS)
        assert row.ref.id in text_of(said)
        assert world.ledger.paid == []


def test_a_client_with_forms_alone_is_asked_in_the_answer():
    world = World(runs=True)
    with clients(world) as http:
        anna = Client(world, http, able=FORMS)
        asked = anna.call("asker", {"input": "Which one"})
        ((key, request),) = asked["inputRequests"].items()
        assert request["method"] == "elicitation/create"

        put_away = anna.call(
            "asker",
            {"input": "Which one"},
            requestState=asked["requestState"],
            inputResponses={key: {"action": "cancel"}},
        )
        assert "goes on" in text_of(put_away)

        said = anna.call(
            "asker",
            {"input": "Which one"},
            requestState=asked["requestState"],
            inputResponses={key: accept(answer="left")},
        )
        assert text_of(said) == "heard 'left'"
        assert len(world.app.threads(tenant=OURS)) == 1


def test_an_agent_that_breaks_returns_an_error_to_whoever_waits():
    world = World(runs=True)
    with clients(world) as http:
        said = Client(world, http, able=NOTHING).call("breaks", {"input": "x"})

        assert said["isError"]
        assert "no decision" in text_of(said)


@pytest.mark.parametrize("able", [NOTHING, FORMS])
@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_methods_of_tasks_are_for_clients_that_know_them(
    world: World, http: TestClient, able: Any, method: str
):
    answered = Client(world, http, able=able).post(method, {"taskId": "t", "inputResponses": {}})

    assert answered.status_code == 400
    assert answered.json()["error"]["code"] == MISSING


@pytest.mark.parametrize("method", ["tasks/list", "tasks/result"])
def test_methods_that_the_extension_dropped_are_not_there(anna: Client, method: str):
    answered = anna.post(method, {"taskId": "t"})

    assert (answered.status_code, answered.json()["error"]["code"]) == (404, NO_METHOD)


def test_a_client_with_tasks_but_no_forms_still_sees_what_is_asked(world: World, http: TestClient):
    client = Client(world, http, able=TASKS_ALONE)

    assert client.task(client.began("asker", input="x"))["status"] == "input_required"


# Headers


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("named", ["", "another", "=?base64?!?="])
def test_the_header_names_the_task_of_the_body(anna: Client, method: str, named: str):
    task_id = anna.began("asker", input="x")
    params = {"taskId": task_id, "inputResponses": {}}

    answered = anna.post(method, params, **{"Mcp-Name": named})

    assert (answered.status_code, answered.json()["error"]["code"]) == (400, MISMATCH)
    assert anna.task(task_id)["status"] == "input_required"


def test_the_server_says_that_it_has_tasks(anna: Client):
    said = anna.ask("server/discover")

    assert "io.modelcontextprotocol/tasks" in said["capabilities"]["extensions"]
    assert FORMS_AND_TASKS["extensions"].keys() <= said["capabilities"]["extensions"].keys()
