"""The product with its agent, over HTTP: a complaint, a yes in the inbox's API, a refund."""

import asyncio
import getpass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from twelvefold import Agent, App
from twelvefold.directory import Directory
from twelvefold.testing import MemoryStore, ended, replays

from agent import SUPPORT, AnyStep, decide
from app import MODELS
from main import make_api
from orders import Orders

ME = getpass.getuser()  # whom a server without keys takes whoever sits at its machine for


@pytest.fixture
def agents(tmp_path: Path) -> App:
    orders = Orders(tmp_path / "orders.db")
    return App(
        [Agent("refunds", decide, AnyStep, deps=lambda tenant: orders, owner=SUPPORT)],
        store=MemoryStore(),
        model=MODELS["script"],
        directory=Directory(roles={"support": [ME]}),
    )


@pytest.fixture
def client(agents: App, tmp_path: Path) -> TestClient:
    """Not as a context, which would run the lifespan: tests say when threads are advanced."""
    api = make_api(agents, Orders(tmp_path / "orders.db"))
    return TestClient(api, base_url="http://localhost", client=("127.0.0.1", 1))


def test_a_complaint_is_refunded_once_support_says_yes(client: TestClient, agents: App):
    thread = complain(client, agents)
    [wait] = client.get(f"/agents/v1/threads/{thread}").json()["waits"]
    contact = client.get(f"/agents/v1/contacts/{wait['name']}").json()
    assert client.get("/orders/1007").json()["refunded_cents"] == 0

    yes = {"decision": "approve", "digest": contact["digest"]}
    client.post(f"/agents/v1/contacts/{wait['name']}/answer", json=yes)
    asyncio.run(agents.run(until_idle=True))

    assert ended(agents, thread) == "We are sorry. Your money is on its way back."
    assert client.get("/orders/1007").json()["refunded_cents"] == 4200
    assert replays(agents) == 1


def test_who_sits_at_the_machine_sees_it_in_the_inbox(client: TestClient, agents: App):
    complain(client, agents)

    assert "refund" in client.get("/agents/inbox").text


def test_an_order_that_is_not_there_begins_nothing(client: TestClient, agents: App):
    answer = client.post("/orders/1/complaints", json={"text": "where is it?"})

    assert answer.status_code == 404
    assert agents.threads() == []


def complain(client: TestClient, agents: App) -> str:
    """The thread, once it waits."""
    answer = client.post("/orders/1007/complaints", json={"text": "it came in pieces"})
    assert answer.status_code == 202
    asyncio.run(agents.run(until_idle=True))
    return answer.json()["thread"]
