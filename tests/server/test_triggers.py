"""POST /v1/triggers/{source}: signed deliveries become events, and nothing else does."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crew import Look, app_of, pipeline, ran_by
from twelvefold.app import App
from twelvefold.inbound import thread_of
from twelvefold.server import create_app
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Letterbox

MAIL = Letterbox("mail", agent="crew")
HELLO = {"key": "d1", "text": "hello", "sender": "anna", "conversation": "c1"}


@pytest.fixture
def app(tmp_path: Path) -> App:
    agent = pipeline(Look(), carry_out=ran_by(lambda step: "seen"))
    return app_of(agent, SqliteStore(tmp_path / "x.db"), channels=[MAIL])


@pytest.fixture
def client(app: App) -> TestClient:
    # From elsewhere and without a key: a delivery needs none.
    return TestClient(create_app(app), base_url="http://bot.example", client=("203.0.113.9", 1))


def test_a_delivery_is_an_event_and_the_same_one_twice_too(app: App, client: TestClient):
    letter = MAIL.letter("written", **HELLO)

    answers = [
        client.post("/v1/triggers/mail", content=letter.body, headers=dict(letter.headers))
        for _ in range(2)
    ]

    assert [(one.status_code, one.text) for one in answers] == [(200, "begun"), (200, "ignored")]
    assert len(app.thread(thread_of("mail", "c1")).events) == 1


@pytest.mark.parametrize(
    ("source", "body", "headers", "status", "said"),
    [
        ("mail", b"{", {}, 401, "x-signature"),
        ("mail", b"{", {"x-signature": "guessed"}, 401, "x-signature"),
        ("mail", b"{", {"x-signature": "secret"}, 422, "cannot be read"),
        ("mail", b'{"kind": "other"}', {"x-signature": "secret"}, 422, "cannot be read"),
        ("slack", b"{}", {"x-signature": "secret"}, 404, "there are: mail"),
        ("mail", b"x" * 2_000_000, {"x-signature": "secret"}, 413, "body_bytes_max"),
    ],
)
def test_all_else_is_a_problem_and_no_event(
    app: App,
    client: TestClient,
    source: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    said: str,
):
    answer = client.post(f"/v1/triggers/{source}", content=body, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert said in answer.json()["detail"]
    assert app.threads() == []
