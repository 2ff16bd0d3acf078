"""What comes in by a channel: once, from whoever signed it, to the thread of its conversation."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crew import (
    STORES,
    Clock,
    Look,
    Pay,
    Question,
    app_of,
    approved_then,
    asking,
    events,
    pipeline,
    ran_by,
    settle,
    status,
    store_of,
    types,
)
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import Wait, WaitFor
from twelvefold.exceptions import BadSignature, ConfigurationError, InvalidRequest, UnknownSource
from twelvefold.inbound import Inbound, is_listed, thread_of
from twelvefold.testing import Letterbox

pytestmark = pytest.mark.anyio
PEOPLE = Directory(addresses={"anna": {"mail": "anna@example.com"}})
WROTE = {"sender": "anna@example.com", "conversation": "c1"}
T = thread_of("mail", "c1")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


def made(store: Any, agent: Any, **options: Any) -> tuple[App, Letterbox]:
    mail = Letterbox("mail", agent="crew")
    given: dict[str, Any] = {"clock": Clock(), "directory": PEOPLE, "channels": [mail]}
    return app_of(agent, store, **(given | options)), mail


async def came(app: App, mail: Letterbox, kind: str, **fields: Any) -> str:
    receipt, reply = await app.receive("mail", mail.letter(kind, **fields))
    assert reply.body.decode() == receipt.outcome
    await settle(app)
    return receipt.outcome


async def test_the_first_message_begins_the_thread_of_its_conversation(store: Any):
    app, mail = made(store, pipeline(Look(), carry_out=ran_by(lambda step: "seen")))

    assert await came(app, mail, "written", key="d1", text="hello", **WROTE) == "begun"

    [first] = events(app, "message_received", T)
    assert first.data == {
        "conversation": "c1",
        "delivery": "d1",
        "channel": "mail",
        "from": "anna",
        "text": "hello",
    }
    assert status(app, T) == "finished"


async def test_a_later_message_continues_it_and_each_delivery_counts_once(store: Any):
    app, mail = made(store, pipeline(Look(), carry_out=ran_by(lambda step: "seen")))
    first = {"key": "d1", "text": "hello", **WROTE}
    later = {"key": "d2", "text": "and?", **WROTE}

    outcomes = [await came(app, mail, "written", **one) for one in (first, later, first, later)]

    assert outcomes == ["begun", "continued", "ignored", "ignored"]
    assert [e.data["text"] for e in events(app, "message_received", T)] == ["hello", "and?"]


async def test_two_first_messages_in_one_instant_are_both_kept(store: Any):
    app, mail = made(store, pipeline(Look(), carry_out=ran_by(lambda step: "seen")))
    letters = [mail.letter("written", key=f"d{n}", text=f"m{n}", **WROTE) for n in (1, 1, 2, 2)]

    await asyncio.gather(*(app.receive("mail", letter) for letter in letters))

    assert sorted(e.data["text"] for e in events(app, "message_received", T)) == ["m1", "m2"]


async def test_a_reply_answers_the_question_that_was_asked_there(store: Any):
    app, mail = made(store, pipeline(Question(), carry_out=asking))
    await came(app, mail, "written", key="d1", text="hello", **WROTE)
    answer = {"key": "d2", "text": "the blue one", **WROTE}

    assert await came(app, mail, "written", **answer) == "answered"
    assert await came(app, mail, "written", **answer) == "ignored"

    [said] = events(app, "contact_answered", T)
    assert (said.data["by"], said.data["comment"], said.data["delivery"]) == ("anna", None, "d2")
    assert len(events(app, "message_received", T)) == 1
    assert status(app, T) == "finished"


@pytest.mark.parametrize(
    ("text", "outcome", "type"),
    [
        ("hmm, what's their address?", "continued", "message_received"),
        ("yes, but only half of it", "continued", "message_received"),
        ("no problem, go ahead", "continued", "message_received"),
        ("yes", "refused", "answer_refused"),
        ("no, ask ben first", "refused", "answer_refused"),
    ],
)
async def test_a_written_word_settles_no_high_risk(store: Any, text: str, outcome: str, type: str):
    agent = pipeline(Pay(to="ben"), carry_out=approved_then(lambda step: "paid", by="anna"))
    app, mail = made(store, agent)
    await came(app, mail, "written", key="d1", text="pay ben", **WROTE)

    assert await came(app, mail, "written", key="d2", text=text, **WROTE) == outcome

    assert types(app, T)[-1] == type
    assert events(app, "tool_started", T) == []
    assert (events(app, "answer_refused", T) != []) == (outcome == "refused")


async def test_what_the_settings_trust_a_written_yes_with_runs(store: Any):
    agent = pipeline(Pay(to="ben"), carry_out=approved_then(lambda step: "paid", by="anna"))
    app, mail = made(store, agent, settles={"written": "high"})
    await came(app, mail, "written", key="d1", text="pay ben", **WROTE)

    assert await came(app, mail, "written", key="d2", text="Yes.", **WROTE) == "answered"

    assert len(events(app, "tool_returned", T)) == 1


async def test_somebody_else_in_the_conversation_decides_nothing(store: Any):
    app, mail = made(store, pipeline(Question(), carry_out=asking))
    await came(app, mail, "written", key="d1", text="hello", **WROTE)
    other = WROTE | {"sender": "mallory@example.org"}

    assert await came(app, mail, "written", key="d2", text="the red one", **other) == "continued"

    assert events(app, "contact_answered", T) == []


@pytest.mark.parametrize("spoof", ["anna", "ANNA", "U1"])
async def test_who_somebody_is_elsewhere_proves_nothing_here(store: Any, spoof: str):
    known = Directory(addresses={"anna": {"mail": "anna@example.com", "slack": "U1"}})
    app, mail = made(store, pipeline(Question(), carry_out=asking), directory=known)
    await came(app, mail, "written", key="d1", text="hello", **WROTE)

    said = WROTE | {"sender": spoof, "contact": f"{T}.s1.1"}
    assert await came(app, mail, "written", key="d2", text="red", **said) == "refused"

    assert events(app, "contact_answered", T) == []
    assert events(app, "answer_refused", T)[0].data["by"] == f"mail:{spoof}"


async def test_what_may_not_answer_is_a_message(store: Any):
    app, mail = made(store, pipeline(Question(), carry_out=asking))
    await came(app, mail, "written", key="d1", text="hello", **WROTE)

    said = await came(app, mail, "written", key="d2", text="red", answers=False, **WROTE)

    assert (said, events(app, "contact_answered", T)) == ("continued", [])


async def test_a_button_decides_and_a_second_one_is_told_who_did(store: Any):
    agent = pipeline(Pay(to="ben"), carry_out=approved_then(lambda step: "paid", by="anna"))
    app, mail = made(store, agent, settles={"button": "high"})
    await came(app, mail, "written", key="d1", text="pay ben", **WROTE)
    press = {
        "contact": f"{T}.s1.1",
        "decision": "approve",
        "sender": "anna@example.com",
        "assurance": "button",
    }

    assert await came(app, mail, "decided", **press) == "answered"
    assert await came(app, mail, "decided", **press) == "refused"

    assert "anna" in mail.replied[-1].said
    assert len(events(app, "tool_started", T)) == 1


async def test_a_decision_about_nothing_is_refused_and_not_an_error(store: Any):
    app, mail = made(store, pipeline(Question(), carry_out=asking))
    press = {"decision": "approve", "sender": "anna@example.com", "assurance": "button"}

    assert await came(app, mail, "decided", contact="none.s1.1", **press) == "refused"
    assert await came(app, mail, "decided", contact="nothing", **press) == "refused"


async def test_a_signal_reaches_its_thread_once(store: Any):
    agent = pipeline(Look(), carry_out=lambda chosen: WaitFor(chosen.step, "merged"))
    app, mail = made(store, agent)
    await came(app, mail, "written", key="d1", text="go", **WROTE)
    merged = {"key": "w1", "thread_id": T, "signal": "merged", "data": {"sha": "4af9ec0"}}

    outcomes = [await came(app, mail, "signalled", **merged) for _ in range(2)]

    assert outcomes == ["signalled", "signalled"]
    assert len(events(app, "signal_received", T)) == 1
    assert await came(app, mail, "signalled", **(merged | {"thread_id": "none"})) == "refused"


async def test_a_reply_to_a_contact_reaches_its_thread_from_any_conversation(store: Any):
    app, mail = made(store, pipeline(Question(), carry_out=asking))
    await came(app, mail, "written", key="d1", text="hello", **WROTE)
    elsewhere = WROTE | {"conversation": "another", "contact": f"{T}.s1.1"}

    assert await came(app, mail, "written", key="d2", text="blue", **elsewhere) == "answered"


async def test_what_begins_nothing_is_ignored(store: Any):
    app, mail = made(store, pipeline(Question(), carry_out=asking))
    late = {"key": "d1", "text": "blue", **WROTE}

    assert await came(app, mail, "written", **late, contact="gone.s1.1") == "ignored"
    assert await came(app, mail, "written", **late, begins=False) == "ignored"
    assert app.threads() == []


async def test_a_cancelled_thread_is_not_continued(store: Any):
    app, mail = made(store, pipeline(Question(), carry_out=asking))
    await came(app, mail, "written", key="d1", text="hello", **WROTE)
    await app.cancel(T)

    assert await came(app, mail, "written", key="d2", text="still?", **WROTE) == "refused"


async def test_nothing_is_read_before_its_signature(store: Any):
    app, _ = made(store, pipeline(Question(), carry_out=asking))
    forged = Inbound(b"not even JSON", {"x-signature": "guessed"})

    with pytest.raises(BadSignature):
        await app.receive("mail", forged)
    with pytest.raises(InvalidRequest):
        await app.receive("mail", Inbound(b"not even JSON", {"x-signature": "secret"}))
    with pytest.raises(UnknownSource, match="there are: mail"):
        await app.receive("slack", forged)
    assert app.threads() == []


async def test_what_cannot_be_acknowledged_is_kept(store: Any, caplog: Any):
    class Mute(Letterbox):
        async def reply(self, *_: Any) -> Any:
            raise ConnectionError("no answer")

    mail = Mute("mail", agent="crew")
    agent = pipeline(Look(), carry_out=ran_by(lambda step: "seen"))
    app, _ = made(store, agent, channels=[mail])

    receipt, reply = await app.receive("mail", mail.letter("written", key="d1", text="x", **WROTE))

    assert (receipt.outcome, reply.status, len(app.threads())) == ("begun", 200, 1)
    assert "is kept, and could not be acknowledged" in caplog.text


async def test_each_tenant_has_conversations_of_its_own(store: Any):
    agent = pipeline(Look(), carry_out=ran_by(lambda step: "seen"))
    acme = Letterbox("acme", agent="crew", tenant="acme")
    app, _ = made(store, agent, channels=[acme, Letterbox("mail", agent="crew")])

    await app.receive("acme", acme.letter("written", key="d1", text="x", **WROTE))

    assert len(app.threads(tenant="acme")) == 1
    assert app.threads() == []


def test_a_receiver_for_an_agent_that_is_not_there_is_said_at_once():
    with pytest.raises(ConfigurationError, match="'nobody', and there are: crew"):
        app_of(
            pipeline(Look(), carry_out=lambda chosen: Wait()),
            store_of("memory", Path()),
            channels=[Letterbox("mail", agent="nobody")],
        )


@pytest.mark.parametrize(
    ("sender", "listed"),
    [
        ("Anna <ANNA@example.com>", True),
        ("anna@example.com", True),
        ("someone@partner.example", True),
        ("anna@example.com <mallory@example.org>", False),
        ("anna@example.com.evil.example", False),
        ("x@sub.partner.example", False),
        ("", False),
    ],
)
def test_a_list_of_senders_goes_by_the_address(sender: str, listed: bool):
    assert is_listed(sender, ["Anna B. <anna@example.com>", "@partner.example"]) is listed
    assert is_listed(sender, None)
