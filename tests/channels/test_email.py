"""Mail: asked by SMTP, answered by a reply that is proven, and nobody else decides anything."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest
from mail_servers import (
    AGENT,
    ANNA,
    BEN,
    Post,
    answering,
    dns,
    html,
    plain,
    post_office,
    signed,
    written,
)

from crew import (
    Clock,
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
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.channels.email import Email, Smtp
from twelvefold.channels.email.reading import read
from twelvefold.channels.email.servers import library
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Choose, Finish, Tell, Wait, run
from twelvefold.exceptions import BadSignature, ConfigurationError
from twelvefold.inbound import Inbound, thread_of
from twelvefold.steps import Step
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio
PEOPLE = Directory(addresses={"anna": {"email": ANNA}, "ben": {"email": BEN}})
SECRET = "a secret of the tests"
T = thread_of("email", "<1@example.com>")


class Note(Step):
    """What is asked about and is of low risk."""

    intent: Literal["note"] = "note"
    text: str = "<b>hello</b> \u202e & grüße"


def noting(by: Any = "anna", **options: Any) -> Agent:
    def decide(_: Any, state: Any) -> Any:
        if state.ready:
            chosen = state.ready[0]
            ask = Approve(chosen.step, by=by, **options)
            return run(lambda step: "noted", chosen.step) if chosen.approved else ask
        if state.waiting or state.finished:
            return Wait()
        return Finish("done") if state.by_id("s1") else Choose(Note())

    return Agent("crew", decide, Note, owner="olga")


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


def channel(post: Post, **options: Any) -> Email:
    given: dict[str, Any] = {
        "address": AGENT,
        "secret": SECRET,
        "smtp": Smtp(host="127.0.0.1", port=post.port, tls="none"),
        "agent": "crew",
        "dns": dns,
    }
    return Email(**(given | options))


def made(post: Post, agent: Any, *, settles: Any = None, **options: Any) -> tuple[App, Email]:
    email = channel(post, **options)
    given = {"directory": PEOPLE, "channels": [email]} | ({"settles": settles} if settles else {})
    return app_of(agent, MemoryStore(), **given), email


async def came(app: App, email: Email, raw: bytes) -> str:
    receipt, _ = await app.receive("email", email.mail(raw))
    await settle(app)
    return receipt.outcome


async def begun(app: App, email: Email, **options: str) -> None:
    assert await came(app, email, signed(written("Where is my parcel?", **options))) == "begun"


# The round trip


async def test_a_mail_begins_a_thread_that_asks_and_a_reply_answers_it(post: Post):
    app, email = made(post, pipeline(Question(), carry_out=asking))
    await begun(app, email)
    asked = post.to(ANNA)

    reply = signed(answering(asked, "the blue one\n\n-- \nAnna"))
    outcomes = [await came(app, email, reply) for _ in range(2)]

    assert outcomes == ["answered", "ignored"]
    assert state(app, T).by_id("s1").result == "the blue one"
    [vote] = events(app, "contact_answered", T)
    assert (vote.data["by"], vote.data["assurance"]) == ("anna", "email")
    assert [to for to, _ in post.sent] == [ANNA]  # she is asked once, in her conversation


async def test_what_is_asked_stays_in_the_conversation(post: Post):
    app, email = made(post, pipeline(Question(), carry_out=asking))
    await begun(app, email, Subject="Re: RE: Aw: the parcel")
    asked = post.to(ANNA)

    assert asked["Subject"] == "Re: the parcel"
    assert asked["In-Reply-To"] == asked["References"] == "<1@example.com>"
    assert asked["Auto-Submitted"] == "auto-generated"
    assert asked["From"] == AGENT
    assert str(asked["Reply-To"]).startswith("agent+")
    assert str(asked["Message-ID"]).endswith(".twelvefold@bot.example>")
    assert "Reply with your answer" in plain(asked)


async def test_a_later_mail_continues_the_thread(post: Post):
    app, email = made(post, pipeline(Question(), carry_out=asking))
    await begun(app, email)
    later = written("And my other parcel?", id="<3@example.com>", References="<1@example.com>")

    outcomes = [await came(app, email, signed(later)) for _ in range(2)]

    assert outcomes == ["continued", "ignored"]
    assert events(app, "contact_answered", T) == []


async def test_a_yes_approves_low_risk_and_what_is_no_yes_is_feedback(post: Post):
    app, email = made(post, noting())
    await begun(app, email)
    asked = post.to(ANNA)
    hmm = signed(answering(asked, "hmm, what's their address?"))

    assert await came(app, email, hmm) == "continued"
    assert events(app, "tool_started", T) == []
    assert events(app, "message_received", T)[-1].data["text"] == "hmm, what's their address?"

    assert await came(app, email, signed(answering(asked, "Yes.", id="<4@example.com>"))) == (
        "answered"
    )
    assert len(events(app, "tool_started", T)) == 1


async def test_no_and_why_denies(post: Post):
    app, email = made(post, noting())
    await begun(app, email)

    assert await came(app, email, signed(answering(post.to(ANNA), "no, too early"))) == "answered"

    [closed] = events(app, "contact_closed", T)
    assert (closed.data["outcome"], closed.data["comment"]) == ("denied", "too early")


async def test_above_low_risk_only_the_link_decides(post: Post):
    pay = pipeline(Pay(to="x"), carry_out=approved_then(lambda step: "paid", by="anna"))
    app, email = made(post, pay, inbox_url="https://bot.example/")
    await begun(app, email)
    asked = post.to(ANNA)

    assert "Reply yes" not in plain(asked)
    assert f"https://bot.example/contacts/{T}.s1.1" in plain(asked)
    assert f'href="https://bot.example/contacts/{T}.s1.1"' in html(asked)
    assert await came(app, email, signed(answering(asked, "yes"))) == "refused"
    assert events(app, "tool_started", T) == []


async def test_somebody_else_who_is_asked_has_a_token_of_their_own(post: Post):
    app, email = made(post, noting(by=["anna", "ben"]))
    await begun(app, email)
    tokens = {str(mail["Reply-To"]) for _, mail in post.sent}
    ben = signed(answering(post.to(BEN), "yes", sender=BEN))

    assert len(tokens) == 2
    assert await came(app, email, ben) == "answered"
    assert [e.data["by"] for e in events(app, "contact_answered", T)] == ["ben"]


async def test_who_wrote_and_is_not_asked_sees_nothing_of_what_others_decide(post: Post):
    app, email = made(post, noting(by="ben"))
    await begun(app, email)

    assert [to for to, _ in post.sent] == [BEN]
    asked = post.to(BEN)
    assert asked["References"] == "<1@example.com>"  # his answer finds the same thread
    assert await came(app, email, signed(answering(asked, "yes", sender=BEN))) == "answered"


async def test_an_installation_may_invite_a_yes_by_mail_above_low_risk(post: Post):
    pay = pipeline(Pay(to="x"), carry_out=approved_then(lambda step: "paid", by="anna"))
    app, email = made(post, pay, settles={"email": "high"}, invites="high")
    await begun(app, email)
    asked = post.to(ANNA)

    assert "Reply yes" in plain(asked)
    assert await came(app, email, signed(answering(asked, "yes"))) == "answered"
    assert len(events(app, "tool_started", T)) == 1


# Who decides nothing


async def _asked(post: Post, **options: Any) -> tuple[App, Email, Any]:
    app, email = made(post, noting(by=["anna", "ben"]), **options)
    await begun(app, email)
    return app, email, post.to(ANNA)


def _token(mail: Any) -> str:
    return str(mail["Reply-To"])


ATTACKS: dict[str, Any] = {
    "not signed": lambda asked: answering(asked, "yes"),
    "signed by another domain": lambda asked: signed(
        answering(asked, "yes"), domain="evil.example"
    ),
    "another sender with her token": lambda asked: signed(answering(asked, "yes", sender=BEN)),
    "her name before another address": lambda asked: signed(
        answering(asked, "yes", sender=f'"{ANNA}" <eve@evil.example>'), domain="evil.example"
    ),
    "two authors": lambda asked: signed(answering(asked, "yes", sender=f"{ANNA}, {BEN}")),
    "a forwarded approval": lambda asked: signed(
        answering(asked, f"yes\n\nReply-To: {_token(asked)}", to=AGENT)
    ),
    "the token only where it was delivered": lambda asked: signed(
        answering(asked, "yes", to="list@example.com", Delivered_To=_token(asked))
    ),
    "another token": lambda asked: signed(
        answering(asked, "yes", to=f"agent+{'a' * 26}@bot.example")
    ),
    "changed after it was signed": lambda asked: signed(answering(asked, "not now")).replace(
        b"not now", b"yes"
    ),
    "words added behind the signed length": lambda asked: signed(
        answering(asked, "yes"), length=True
    ),
    "the recipient is not signed": lambda asked: signed(
        answering(asked, "yes"), include_headers=[b"from", b"subject"]
    ),
    "a second recipient on top": lambda asked: (
        f"To: {_token(asked)}\r\n".encode() + signed(answering(asked, "yes", to=AGENT))
    ),
    "a second author on top": lambda asked: (
        f"From: {ANNA}\r\n".encode()
        + signed(answering(asked, "yes", sender="eve@evil.example"), domain="evil.example")
    ),
    "an auto-reply": lambda asked: signed(answering(asked, "yes", Auto_Submitted="auto-replied")),
    "a vacation": lambda asked: signed(answering(asked, "yes", X_Autoreply="yes")),
    "bulk": lambda asked: signed(answering(asked, "yes", Precedence="bulk")),
    "a bounce": lambda asked: b"Return-Path: <>\r\n" + signed(answering(asked, "yes")),
    "a report": lambda asked: signed(
        answering(asked, "yes").replace(b"text/plain", b"multipart/report; boundary=b", 1)
    ),
    "our own mail": lambda asked: signed(answering(asked, "yes", sender=AGENT)),
    "a quoted yes": lambda asked: signed(answering(asked, "> yes")),
    "SHA-1": lambda asked: signed(answering(asked, "yes"), signature_algorithm=b"rsa-sha1"),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_is_not_proven_or_not_written_by_whom_was_asked_decides_nothing(
    post: Post, attack: str
):
    app, email, asked = await _asked(post)

    await came(app, email, ATTACKS[attack](asked))

    assert events(app, "contact_answered", T) == []
    assert events(app, "tool_started", T) == []
    assert status(app, T) == "waiting"
    assert len(app.store.contacts()) == 1  # and no other thread has begun
    # The same mail without the fault does:
    assert await came(app, email, signed(answering(asked, "yes", id="<9@example.com>"))) == (
        "answered"
    )


async def test_a_late_yes_changes_nothing_and_begins_nothing(post: Post):
    app, email, asked = await _asked(post)
    assert await came(app, email, signed(answering(post.to(BEN), "yes", sender=BEN))) == "answered"

    outcome = await came(app, email, signed(answering(asked, "yes", id="<5@example.com>")))

    assert outcome in ("continued", "refused")
    assert len(events(app, "contact_answered", T)) == 1
    assert len(events(app, "tool_started", T)) == 1


async def test_a_copy_that_is_not_proven_does_not_stand_in_for_the_answer(post: Post):
    app, email, asked = await _asked(post)
    reply = answering(asked, "yes")

    assert await came(app, email, reply) == "continued"  # as a mailing list has changed it
    assert await came(app, email, signed(reply)) == "answered"


@pytest.mark.parametrize(
    "reply",
    [
        lambda asked: signed(answering(asked, "yes")),
        lambda asked: answering(asked, "yes"),
        lambda asked: signed(answering(asked, "yes", to=AGENT)),
        lambda asked: signed(written("yes", to=_token(asked))),
    ],
)
async def test_a_reply_to_what_no_mail_began_is_no_beginning(post: Post, reply: Any):
    app, email = made(post, noting(by=["anna", "ben"]))
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.answer("t.s1.1", "approve", by="ben")
    await settle(app)
    before = app.thread("t").head

    assert await came(app, email, reply(post.to(ANNA))) == "ignored"

    assert len(app.store.threads()) == 1
    assert app.thread("t").head == before


async def test_a_token_that_is_not_proven_does_not_lead_into_its_thread(post: Post):
    app, email = made(post, noting())
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert await came(app, email, answering(post.to(ANNA), "and now for something else")) == (
        "ignored"
    )
    assert events(app, "message_received") == [app.thread("t").events[0]]


async def test_a_token_is_of_exactly_what_is_asked(post: Post):
    app, email = made(post, noting())
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    [row] = app.store.contacts()
    other = replace(row, data={**row.data, "digest": "another"})

    assert _token(post.to(ANNA)) == f"agent+{email.code_of(row, ANNA)}@bot.example"
    assert email.code_of(row, ANNA.upper()) == email.code_of(row, ANNA)
    assert len({email.code_of(one, to) for one in (row, other) for to in (ANNA, BEN)}) == 4


async def test_senders_that_are_listed_must_be_proven_too(post: Post):
    app, email = made(post, noting(), senders=["@example.com"])

    assert await came(app, email, written("hello")) == "ignored"
    eve = written("hello", sender=f"Anna <eve@evil.example> ({ANNA})")
    assert await came(app, email, signed(eve, domain="evil.example")) == "ignored"
    assert await came(app, email, signed(written("hello"))) == "begun"


async def test_a_mail_that_nobody_has_signed_is_a_message_and_says_so(post: Post):
    app, email = made(post, noting())

    assert await came(app, email, written("hello")) == "begun"

    [first] = events(app, "message_received", T)
    assert first.data["proof"] == "none"


@pytest.mark.parametrize("headers", [{}, {"x-taken-by-this-process": "guessed"}])
def test_a_raw_mail_by_http_is_refused(post: Post, headers: dict[str, str]):
    with pytest.raises(BadSignature, match="mailgun_signing_key"):
        channel(post).read(Inbound(signed(written("hello")), headers), now=Clock().now)


# What it looks like


async def test_markup_is_text_and_every_character_is_seen(post: Post):
    _, _, asked = await _asked(post)

    assert "<b>hello</b> \\u202e & grüße" in plain(asked)
    assert "&lt;b&gt;hello&lt;/b&gt; \\u202e &amp; grüße" in html(asked)
    assert "<b>" not in html(asked)


async def test_what_is_told_goes_into_the_conversation(post: Post):
    said = "It is <b>on its way</b>.\nBye \u202e"
    app, email = made(
        post, pipeline(Question(), carry_out=lambda chosen: Tell(chosen.step, said, to="ben"))
    )
    await begun(app, email)
    mail = post.to(ANNA)

    assert sorted(to for to, _ in post.sent) == [ANNA, BEN]
    assert plain(mail).splitlines() == ["It is <b>on its way</b>.", "Bye \\u202e"]
    assert "&lt;b&gt;on its way&lt;/b&gt;.<br>Bye \\u202e" in html(mail)
    assert (mail["Subject"], mail["Reply-To"]) == ("Re: the parcel", AGENT)
    thanks = answering(mail, "thanks", References=f"<1@example.com> {mail['Message-ID']}")
    assert await came(app, email, signed(thanks)) == "continued"


async def test_a_subject_adds_no_header(post: Post):
    app, email = made(post, pipeline(Question(), carry_out=asking))
    folded = written("hi", Subject="x").replace(
        b"Subject: x", b"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe=0D=0ABcc=3A_eve=40evil=2Eexample?="
    )

    assert await came(app, email, signed(folded)) == "begun"

    asked = post.to(ANNA)
    assert asked["Bcc"] is None
    assert str(asked["Subject"]).startswith("Re: grüße")
    assert [to for to, _ in post.sent] == [ANNA]


async def test_an_address_that_is_none_is_recorded(post: Post):
    email = channel(post)
    people = Directory(addresses={"anna": {"email": "anna@example.com\r\nBcc: eve@evil.example"}})
    app = app_of(noting(), MemoryStore(), directory=people, channels=[email])
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    [failed] = events(app, "contact_not_sent")
    assert "is no mail address" in failed.data["error"]
    assert post.sent == []


# Trouble


async def test_a_server_that_wants_a_name_gets_it_and_its_no_is_recorded(post: Post):
    post.password = "right"
    for password, sent in (("wrong", 0), ("right", 1)):
        smtp = Smtp(host="127.0.0.1", port=post.port, tls="none", user="agent", password=password)
        app = app_of(noting(), MemoryStore(), directory=PEOPLE, channels=[channel(post, smtp=smtp)])
        await app.launch("crew", "go", thread_id="t")
        await settle(app)

        assert len(post.sent) == sent
        assert len(events(app, "contact_not_sent")) == 1 - sent
        assert password not in repr(smtp)


def test_a_secret_that_is_short_is_said_at_once(post: Post):
    with pytest.raises(ConfigurationError, match="secret="):
        channel(post, secret="short")


async def test_without_a_mailbox_nothing_listens(post: Post):
    async def receive(source: str, inbound: Inbound) -> Any:
        raise AssertionError

    with pytest.raises(ConfigurationError, match="imap="):
        await channel(post).listen(receive)


def test_a_missing_extra_is_one_clear_line():
    with pytest.raises(ConfigurationError, match=r"pip install 'twelvefold\[email\]'"):
        library("a_library_that_is_none")


def test_a_missing_extra_is_no_fault_of_a_mail():
    def proof(raw: bytes, domain: str) -> bool:
        raise ConfigurationError("not installed")

    with pytest.raises(ConfigurationError, match="not installed"):
        read(written("hello"), address=AGENT, senders=None, proof=proof)
