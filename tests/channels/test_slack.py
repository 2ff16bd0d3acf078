"""Slack, over a local Slack API and Slack's own signatures: asked, decided, updated, refused."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_api import (
    SECRET,
    TOKEN,
    Workspace,
    buttons,
    event,
    interaction,
    press,
    signed,
    slack_api,
    submit,
    words,
)
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from crew import (
    Pay,
    Question,
    app_of,
    approved_then,
    asking,
    events,
    pipeline,
    settle,
    state,
    status,
)
from twelvefold.app import App
from twelvefold.channels.slack import Slack
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Ask
from twelvefold.exceptions import BadSignature, ConfigurationError, InvalidRequest
from twelvefold.forms import Option, multiple_choice, yes_no
from twelvefold.inbound import Ignored, Inbound, Written, thread_of
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio
PEOPLE = Directory(addresses={"anna": {"slack": "U1"}, "ben": {"slack": "U2"}})
T = thread_of("slack", "C1:1.0")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with slack_api() as workspace:
        yield workspace


def slack(workspace: Workspace, **options: Any) -> Slack:
    given = {"token": TOKEN, "signing_secret": SECRET, "agent": "crew", "api": workspace.url}
    return Slack(**(given | options))


def made(workspace: Workspace, agent: Any, **options: Any) -> App:
    given: dict[str, Any] = {
        "channels": [slack(workspace, **options.pop("slack", {}))],
        "directory": PEOPLE,
        "settles": {"slack": "high"},
    }
    return app_of(agent, MemoryStore(), **(given | options))


async def came(app: App, inbound: Inbound) -> tuple[str, Any]:
    receipt, reply = await app.receive("slack", inbound)
    assert reply.status == 200
    await settle(app)
    return receipt.outcome, reply


def paying(by: Any = ("anna", "ben"), **more: Any) -> Any:
    paid = approved_then(lambda step: "paid", by=by)
    if not more:
        return pipeline(Pay(to="ben"), carry_out=paid)
    return pipeline(Pay(to="ben"), carry_out=lambda c: Approve(c.step, by=by, **more))


async def test_a_mention_begins_a_thread_and_two_deliveries_of_it_make_one(workspace: Workspace):
    app = made(workspace, paying())

    outcomes = [(await came(app, event(text="<@UBOT> pay ben &amp; co")))[0] for _ in range(2)]
    also = await came(app, event("message", text="<@UBOT> pay ben &amp; co"))

    assert (outcomes, also[0]) == (["begun", "ignored"], "ignored")
    [first] = events(app, "message_received", T)
    assert (first.data["text"], first.data["from"]) == ("pay ben & co", "anna")
    assert len(app.threads()) == 1


async def test_it_asks_in_the_conversation_and_shows_all_that_would_run(workspace: Workspace):
    app = made(workspace, paying())

    await came(app, event())

    in_thread = [m for m in workspace.posted if m.get("thread_ts") == "1.0"]
    assert {m["channel"] for m in workspace.posted} == {"C1", "U1", "U2"}
    [message] = in_thread
    assert "pay    high risk" in words(message)
    assert "to  ben" in words(message)
    assert list(buttons(message)) == ["Approve", "Deny"]


async def test_a_press_approves_what_the_message_shows_once_and_all_are_updated(
    workspace: Workspace,
):
    app = made(workspace, paying())
    await came(app, event())
    approve = buttons(workspace.posted[0])["Approve"]

    outcomes = [(await came(app, press(approve, user=user)))[0] for user in ("U1", "U1", "U2")]

    assert outcomes == ["answered", "refused", "refused"]
    assert len(events(app, "tool_started", T)) == 1
    [vote] = events(app, "contact_answered", T)
    assert (vote.data["by"], vote.data["channel"], vote.data["assurance"]) == (
        "anna",
        "slack",
        "slack",
    )
    assert len(workspace.of("chat.update")) == len(workspace.posted) == 3
    for update in workspace.of("chat.update"):
        assert "approved by anna (slack)" in words(update)
        assert buttons(update) == {}


async def test_somebody_who_is_not_on_the_list_is_told_no_and_that_is_recorded(
    workspace: Workspace,
):
    app = made(workspace, paying(by=["anna"]))
    await came(app, event())
    approve = buttons(workspace.posted[0])["Approve"]

    outcome, reply = await came(app, press(approve, user="U9"))

    assert (outcome, reply.body) == ("refused", b"")
    [told] = workspace.of("chat.postEphemeral")
    assert (told["user"], told["channel"]) == ("U9", "C1")
    assert "anna" in told["text"]
    assert [e.data["by"] for e in events(app, "answer_refused", T)] == ["U9"]
    assert status(app, T) == "waiting"


async def test_a_no_asks_why_in_a_form(workspace: Workspace):
    app = made(workspace, paying())
    await came(app, event())
    deny = buttons(workspace.posted[0])["Deny"]

    assert (await came(app, press(deny)))[0] == "ignored"
    [opened] = workspace.of("views.open")
    assert opened["trigger_id"] == "trigger-1"
    empty, reply = await came(app, submit(opened["view"], "  "))
    assert (empty, json.loads(reply.body)["response_action"]) == ("refused", "errors")
    assert (await came(app, submit(opened["view"], "wrong account")))[0] == "answered"

    [closed] = events(app, "contact_closed", T)
    assert (closed.data["outcome"], closed.data["comment"]) == ("denied", "wrong account")
    assert "> wrong account" in words(workspace.of("chat.update")[0])


async def test_a_button_decides_only_what_its_message_shows(workspace: Workspace):
    app = made(workspace, paying())
    await came(app, event())
    approve = dict(buttons(workspace.posted[0])["Approve"])
    other = json.loads(approve["value"]) | {"digest": "0" * 64}

    outcome, _ = await came(app, press(approve | {"value": json.dumps(other)}))

    assert outcome == "refused"
    assert events(app, "tool_started", T) == []


async def test_a_reply_in_the_thread_continues_it_and_one_elsewhere_begins_nothing(
    workspace: Workspace,
):
    app = made(workspace, paying())
    await came(app, event())
    reply = {"type": "message", "ts": "2.0", "thread_ts": "1.0", "text": "wait, which ben?"}

    assert (await came(app, event(**reply)))[0] == "continued"
    elsewhere = reply | {"ts": "3.0", "thread_ts": "9.0"}
    assert (await came(app, event(**elsewhere)))[0] == "ignored"
    assert (await came(app, event("message", ts="4.0")))[0] == "ignored"
    assert len(app.threads()) == 1
    assert status(app, T) == "waiting"


async def test_a_direct_message_begins_a_thread(workspace: Workspace):
    app = made(workspace, paying())

    assert (await came(app, event("message", channel_type="im")))[0] == "begun"


async def test_a_question_is_answered_by_a_reply_a_button_or_a_form(workspace: Workspace):
    for way in ("reply", "form"):
        workspace.calls.clear()
        app = made(workspace, pipeline(Question(), carry_out=asking))
        await came(app, event())
        if way == "reply":
            inbound = event("message", ts="2.0", thread_ts="1.0", text="the blue one")
        else:
            await came(app, press(buttons(workspace.posted[0])["Answer"]))
            inbound = submit(workspace.of("views.open")[0]["view"], "the blue one")
        assert (await came(app, inbound))[0] == "answered"
        [closed] = events(app, "contact_closed", T)
        assert closed.data["outcome"] == "answered"
        assert "the blue one" in str([e.data for e in app.thread(T).events])


@pytest.mark.parametrize(
    ("form", "button", "value"),
    [(yes_no(), "No", False), (multiple_choice("red", "<blue>"), "<blue>", "<blue>")],
)
async def test_a_form_becomes_buttons(workspace: Workspace, form: Any, button: str, value: Any):
    ask = lambda chosen: Ask(chosen.step, "Which?", to="anna", form=form)  # noqa: E731
    app = made(workspace, pipeline(Question(), carry_out=ask))
    await came(app, event())

    assert (await came(app, press(buttons(workspace.posted[0])[button])))[0] == "answered"

    assert state(app, T).by_id("s1").result == value


async def test_an_option_is_one_more_button(workspace: Workspace):
    options = [Option("spam", "Throw it away")]
    app = made(workspace, paying(by="anna", options=options))
    await came(app, event())

    assert (await came(app, press(buttons(workspace.posted[0])["Throw it away"])))[0] == "answered"
    assert events(app, "contact_closed", T)[0].data["outcome"] == "chosen"


async def test_what_is_too_long_to_be_shown_has_no_buttons(workspace: Workspace):
    app = made(workspace, pipeline(Pay(to="b" * 200_000), carry_out=paying_long))

    await came(app, event())

    message = workspace.posted[0]
    assert buttons(message) == {}
    assert "Decide where all of it is shown" in words(message)
    assert len(message["blocks"]) <= 50
    assert all(len(b["text"]["text"]) <= 3000 for b in message["blocks"])


def paying_long(chosen: Any) -> Any:
    return Approve(chosen.step, by="anna")


async def test_no_text_calls_everybody_or_makes_a_link(workspace: Workspace):
    evil = "<!channel> <https://evil.example|click> ``` *bold* \u202e"
    app = made(workspace, pipeline(Pay(to=evil), carry_out=paying_long))
    await came(app, event())
    await app.answer(
        f"{T}.s1.1", "deny", by="anna", comment=evil, channel="inbox", assurance="slack"
    )
    await settle(app)

    shown = [words(m) + m["text"] for _, m in workspace.calls if "blocks" in m]
    assert len(shown) == 4
    for text in shown:
        assert "<!channel>" not in text
        assert "<https" not in text
        assert "\u202e" not in text
        assert text.count("```") % 2 == 0


async def test_the_test_of_the_url_is_passed(workspace: Workspace):
    app = made(workspace, paying())
    body = b'{"type": "url_verification", "challenge": "3eZbrw1aB"}'

    receipt, reply = await app.receive("slack", signed(body, "application/json"))

    assert (receipt.outcome, reply.body) == ("ignored", b"3eZbrw1aB")


# Who signed it


def test_slacks_own_verifier_accepts_what_is_accepted_here(workspace: Workspace):
    inbound = event()
    headers = {
        "X-Slack-Request-Timestamp": inbound.headers["x-slack-request-timestamp"],
        "X-Slack-Signature": inbound.headers["x-slack-signature"],
    }

    assert SignatureVerifier(SECRET).is_valid_request(inbound.body, headers)
    assert isinstance(slack(workspace).read(inbound, now=datetime.now(UTC)), Written)


def test_slacks_published_vector():
    """https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F"
        b"commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015"
        b".47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": (
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        ),
    }
    channel = Slack(token=TOKEN, signing_secret=SECRET)

    with pytest.raises(InvalidRequest, match="no payload"):  # signed; a command, which is not used
        channel.read(Inbound(body, headers), now=datetime.fromtimestamp(1531420618, UTC))


@pytest.mark.parametrize("age_s", [301, -301, 10**9])
def test_what_is_stale_is_refused(workspace: Workspace, age_s: int):
    with pytest.raises(BadSignature, match="clocks"):
        slack(workspace).read(event(at=NOW), now=NOW + timedelta(seconds=age_s))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda one: Inbound(one.body.replace(b"U1", b"U2"), one.headers),
        lambda one: Inbound(one.body, dict(one.headers) | {"x-slack-signature": "v0=" + "0" * 64}),
        lambda one: Inbound(one.body, dict(one.headers) | {"x-slack-signature": ""}),
        lambda one: Inbound(one.body, {"content-type": "application/json"}),
        lambda one: Inbound(one.body, dict(one.headers) | {"x-slack-request-timestamp": "9" * 30}),
    ],
)
def test_what_is_forged_is_refused(workspace: Workspace, tamper: Any):
    with pytest.raises(BadSignature):
        slack(workspace).read(tamper(event()), now=datetime.now(UTC))


@pytest.mark.parametrize(
    "inbound",
    [
        signed(b"{", "application/json"),
        signed(b"[]", "application/json"),
        signed(b'{"type": "event_callback"}', "application/json"),
        signed(b'{"type": "event_callback", "event": {"type": "message"}}', "application/json"),
        signed(b"nothing=1", "application/x-www-form-urlencoded"),
        signed(b"payload=%7B", "application/x-www-form-urlencoded"),
        interaction({"type": "block_actions"}),
        interaction({"type": "block_actions", "user": {"id": "U1"}, "actions": [7]}),
        interaction(
            {
                "type": "block_actions",
                "user": {"id": "U1"},
                "actions": [{"action_id": "approve:0", "value": '{"contact": 7}'}],
            }
        ),
    ],
)
def test_what_is_malformed_says_so(workspace: Workspace, inbound: Inbound):
    with pytest.raises(InvalidRequest, match="Nothing was done"):
        slack(workspace).read(inbound, now=datetime.now(UTC))


def test_another_workspace_and_what_bots_say_is_ignored(workspace: Workspace):
    mine = slack(workspace, teams=["T7"])
    now = datetime.now(UTC)

    assert isinstance(mine.read(event(), now=now), Ignored)
    assert isinstance(mine.read(press({"action_id": "approve:0", "value": "{}"}), now=now), Ignored)
    for said in ({"bot_id": "B1"}, {"subtype": "message_changed"}, {"type": "reaction_added"}):
        assert isinstance(slack(workspace).read(event(**said), now=now), Ignored)


async def test_a_wrong_token_is_recorded_and_the_question_stays(workspace: Workspace):
    app = made(workspace, paying(), slack={"token": "xoxb-another"})

    await came(app, event())

    failed = events(app, "contact_not_sent", T)
    assert "invalid_auth" in failed[0].data["error"]
    assert TOKEN not in str([e.data for e in app.thread(T).events])
    assert status(app, T) == "waiting"
    with pytest.raises(SlackApiError):
        await slack(workspace, token="xoxb-another")._call(
            "chat_postMessage", channel="C1", text="x"
        )


def test_a_missing_sdk_is_one_clear_line(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "slack_sdk", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'twelvefold\[slack\]'"):
        asyncio.run(Slack(token="x", signing_secret="y")._call("chat_postMessage"))


# In a direct message, below a question that nobody there has begun


def direct(message: dict[str, Any], text: str, *, user: str = "U1", ts: str = "9.0") -> Inbound:
    """A reply below a message, in the direct messages with its reader."""
    place = {"channel": message["channel"], "thread_ts": message["ts"], "channel_type": "im"}
    return event("message", user=user, ts=ts, text=text, **place)


async def asked_directly(workspace: Workspace, agent: Any) -> tuple[App, dict[str, Any]]:
    app = made(workspace, agent)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    sent = [e.data["ref"] for e in events(app, "contact_sent") if e.data["to"] == "U1"]
    return app, sent[0]


async def test_a_reply_below_a_question_in_a_direct_message_answers_it(workspace: Workspace):
    app, message = await asked_directly(workspace, pipeline(Question(), carry_out=asking))

    outcomes = [(await came(app, direct(message, "the blue one")))[0] for _ in range(2)]

    assert outcomes == ["answered", "ignored"]
    assert state(app).by_id("s1").result == "the blue one"
    assert len(app.threads()) == 1


async def test_a_reply_there_that_is_no_yes_is_a_message_of_that_thread(workspace: Workspace):
    app, message = await asked_directly(workspace, paying())

    assert (await came(app, direct(message, "hmm, which account?")))[0] == "continued"

    assert events(app, "message_received")[-1].data["text"] == "hmm, which account?"
    assert events(app, "contact_answered") == []
    assert (await came(app, direct(message, "yes", ts="10.0")))[0] == "answered"
    assert len(events(app, "tool_started")) == 1


@pytest.mark.parametrize(
    ("user", "other"),
    [("U9", {}), ("U2", {}), ("U1", {"ts": "99.0"}), ("U1", {"channel": "D9"})],
)
async def test_a_reply_of_somebody_else_or_to_another_message_is_nothing(
    workspace: Workspace, user: str, other: dict[str, str]
):
    app, message = await asked_directly(workspace, paying(by="anna"))

    outcome, _ = await came(app, direct(message | other, "yes", user=user))

    assert outcome == "ignored"
    assert events(app, "contact_answered") == []
    assert len(app.threads()) == 1


async def test_a_reply_to_what_has_ended_is_nothing(workspace: Workspace):
    app, message = await asked_directly(workspace, paying(by="anna"))
    await app.answer("t.s1.1", "deny", by="anna", comment="no", assurance="slack")
    await settle(app)
    before = app.thread("t").head

    assert (await came(app, direct(message, "yes")))[0] == "ignored"

    assert app.thread("t").head == before
