"""The triage from a signed webhook of Linear to a reply by mail."""

import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from loading import app_of, example

from channels.mail_servers import (
    AGENT,
    ANNA,
    BEN,
    Post,
    answering,
    dns,
    plain,
    post_office,
    signed,
    written,
)
from twelvefold import App
from twelvefold.channels.email import Email, Smtp
from twelvefold.channels.linear import Linear
from twelvefold.exceptions import BadSignature
from twelvefold.inbound import Inbound, thread_of
from twelvefold.testing import replays

pytestmark = pytest.mark.anyio

triage, wiring = example("linear_triage"), example("linear_triage", "wiring")
SECRET = "lin_wh_of_the_tests"
URL = "https://linear.app/acme/issue/"


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


@pytest.fixture
def tracker(tmp_path: Path) -> Any:
    return triage.Tracker(tmp_path / "tracker.db")


@pytest.fixture
def email(post: Post) -> Email:
    smtp = Smtp(host="127.0.0.1", port=post.port, tls="none")
    secret = "a secret of the tests"
    return Email(address=AGENT, secret=secret, smtp=smtp, invites="medium", dns=dns)


@pytest.fixture
def app(email: Email, tracker: Any) -> App:
    linear = Linear(secret=SECRET, agent="triage", on=wiring.meant)
    return app_of(triage, deps=tracker, channels=[linear, email])


def webhook(name: str, *, action: str = "create", secret: str = SECRET) -> Inbound:
    """As https://linear.app/developers/webhooks has it."""
    body = json.dumps(
        {
            "action": action,
            "type": "Issue",
            "actor": {"type": "user", "name": "Zoe", "email": "zoe@example.com"},
            "data": {"id": "2174add1", "identifier": name, "title": "It is cut off"},
            "url": f"{URL}{name}",
            "webhookTimestamp": int(datetime.now(UTC).timestamp() * 1000),
        }
    ).encode()
    return Inbound(body, {"linear-signature": hmac.digest(secret.encode(), body, "sha256").hex()})


def thread(name: str) -> str:
    return thread_of("linear", f"{URL}{name}")


async def made(app: App, name: str, **options: Any) -> str:
    receipt, _ = await app.receive("linear", webhook(name, **options))
    await app.run(until_idle=True)
    return receipt.outcome


async def replied(app: App, email: Email, raw: bytes) -> str:
    receipt, _ = await app.receive("email", email.mail(raw))
    await app.run(until_idle=True)
    return receipt.outcome


def log(app: App, name: str, type: str) -> list[Mapping[str, Any]]:
    return [event.data for event in app.thread(thread(name)).events if event.type == type]


async def test_an_issue_that_is_known_is_closed_by_a_reply(
    app: App, email: Email, post: Post, tracker: Any
):
    assert await made(app, "ENG-7") == "begun"
    assert sorted(to for to, _ in post.sent) == [ANNA, BEN]
    asked = post.to(ANNA)
    assert "duplicate_of  ENG-3" in plain(asked)
    assert tracker.changes() == []

    assert await replied(app, email, signed(answering(asked, "yes"))) == "answered"

    [(_, issue, change)] = tracker.changes()
    assert (issue, change["duplicateOf"]) == ("ENG-7", "ENG-3")
    assert app.threads()[0].status == "finished"
    assert replays(app) == 1


async def test_no_and_why_is_read_and_it_is_sorted_in(
    app: App, email: Email, post: Post, tracker: Any
):
    await made(app, "ENG-7")

    no = answering(post.to(BEN), "no, that one is about imports", sender=BEN)
    assert await replied(app, email, signed(no)) == "answered"

    [closed] = log(app, "ENG-7", "contact_closed")
    assert (closed["by"], closed["comment"]) == ("ben", "that one is about imports")
    assert "duplicateOf" not in str(tracker.changes())
    assert len(tracker.changes()) == 2  # labels, and a comment that says why


async def test_a_question_back_is_no_yes(app: App, email: Email, post: Post, tracker: Any):
    await made(app, "ENG-7")

    back = signed(answering(post.to(ANNA), "hmm, is it the same export?"))
    assert await replied(app, email, back) == "continued"

    assert tracker.changes() == []
    assert len(app.inbox()) == 1
    assert log(app, "ENG-7", "message_received")[-1]["from"] == "anna"


async def test_a_question_is_asked_by_mail_and_answered_by_a_reply(
    email: Email, post: Post, tmp_path: Path
):
    limited = triage.Tracker(tmp_path / "limited.db", ratelimited=frozenset({"issueLabels"}))
    linear = Linear(secret=SECRET, agent="triage", on=wiring.meant)
    app = app_of(triage, deps=limited, channels=[linear, email])
    await made(app, "ENG-8")

    assert "Which id has the label for bugs?" in plain(post.to(ANNA))
    assert await replied(app, email, signed(answering(post.to(ANNA), "lab_1"))) == "answered"

    assert limited.changes()[0][2]["labelIds"] == ["lab_1"]


async def test_one_issue_is_one_thread_and_other_events_are_none(app: App, post: Post):
    first = webhook("ENG-7")
    outcomes = [(await app.receive("linear", first))[0].outcome for _ in range(2)]
    await app.run(until_idle=True)

    assert outcomes == ["begun", "ignored"]
    assert await made(app, "ENG-7", action="update") == "ignored"
    assert len(app.threads()) == 1
    assert len(post.sent) == 2


async def test_what_linear_has_not_signed_begins_nothing(app: App, post: Post):
    with pytest.raises(BadSignature):
        await made(app, "ENG-7", secret="another")

    assert app.threads() == []


async def test_a_mail_of_anybody_begins_nothing(app: App, email: Email):
    assert await replied(app, email, signed(written("triage ENG-7"))) == "ignored"

    assert app.threads() == []


def test_the_environment_says_what_there_is(monkeypatch: pytest.MonkeyPatch):
    assert wiring.channels() == []
    monkeypatch.setenv("LINEAR_WEBHOOK_SECRET", SECRET)
    assert [one.name for one in wiring.channels()] == ["linear"]
    given = "EMAIL_ADDRESS SMTP_HOST SMTP_USER SMTP_PASSWORD IMAP_HOST IMAP_USER IMAP_PASSWORD"
    for name in given.split():
        monkeypatch.setenv(name, AGENT)
    monkeypatch.setenv("EMAIL_SECRET", "a secret of the tests")
    assert [(one.name, one.agent) for one in wiring.channels()] == [
        ("linear", "triage"),
        ("email", ""),
    ]
