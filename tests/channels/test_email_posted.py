"""Mails that SendGrid and Postmark post: each proves itself, and no mail is proven by that."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from mail_servers import AGENT, ANNA, answering, dns, post_office, signed, written

from crew import Question, app_of, asking, events, pipeline, settle, state
from twelvefold.channels.email import Email, Smtp
from twelvefold.channels.email.sendgrid import SIGNATURE, TIME, expect_signed
from twelvefold.directory import Directory
from twelvefold.exceptions import BadSignature, ConfigurationError, InvalidRequest
from twelvefold.inbound import Inbound, Written, thread_of
from twelvefold.server import create_app
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
LOGIN = "twelvefold:a-password-of-the-tests"


def public(key: Any) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def email(**options: Any) -> Email:
    given: dict[str, Any] = {
        "address": AGENT,
        "secret": "a secret of the tests",
        "smtp": Smtp(host="127.0.0.1"),
        "agent": "crew",
        "dns": dns,
        "sendgrid_public_key": public(OURS),
        "postmark_login": LOGIN,
    }
    return Email(**(given | options))


def sendgrid(
    raw: bytes | None, *, key: Any = OURS, at: datetime = NOW, field: str = "email"
) -> Any:
    """As Inbound Parse posts with a security policy."""
    boundary = b"--xYzZY"
    parts = [b'Content-Disposition: form-data; name="SPF"\r\n\r\npass']
    if raw is not None:
        parts.append(b'Content-Disposition: form-data; name="%s"\r\n\r\n' % field.encode() + raw)
    body = b"".join(boundary + b"\r\n" + part + b"\r\n" for part in parts) + boundary + b"--\r\n"
    return posted(body, key=key, at=at, kind='multipart/form-data; boundary="xYzZY"')


def posted(
    body: bytes, *, key: Any = OURS, at: datetime = NOW, kind: str = "text/plain"
) -> Inbound:
    stamp = str(int(at.timestamp()))
    made = base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
    return Inbound(body, {SIGNATURE: made, TIME: stamp, "content-type": kind})


def postmark(raw: bytes | None, *, login: str = LOGIN, scheme: str = "Basic") -> Inbound:
    given = base64.b64encode(login.encode()).decode()
    data = {"From": ANNA, "Subject": "x"} | ({} if raw is None else {"RawEmail": raw.decode()})
    return Inbound(json.dumps(data).encode(), {"authorization": f"{scheme} {given}"})


WAYS = {"sendgrid": sendgrid, "postmark": postmark}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_mail_that_is_posted_is_read_as_it_is(way: Any):
    said = email().read(way(signed(written("grüße 東京"))), now=NOW)

    assert isinstance(said, Written)
    assert (said.text, said.sender, said.assurance) == ("grüße 東京", ANNA, "email")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_service_proves_nobody_who_has_written(way: Any):
    said = email().read(way(written("hello")), now=NOW)

    assert isinstance(said, Written)
    assert (said.assurance, said.answers, said.about["proof"]) == ("email_unproven", False, "none")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_reply_that_is_posted_answers_once(way: Any):
    with post_office() as post:
        channel = email(smtp=Smtp(host="127.0.0.1", port=post.port, tls="none"))
        people = Directory(addresses={"anna": {"email": ANNA}})
        agent = pipeline(Question(), carry_out=asking)
        app = app_of(agent, MemoryStore(), directory=people, channels=[channel], clock=lambda: NOW)
        assert (await app.receive("email", way(signed(written("hello")))))[0].outcome == "begun"
        await settle(app)
        reply = way(signed(answering(post.to(ANNA), "the blue one")))
        outcomes = [(await app.receive("email", reply))[0].outcome for _ in range(2)]
        await settle(app)

    thread = thread_of("email", "<1@example.com>")
    assert outcomes == ["answered", "ignored"]
    assert state(app, thread).by_id("s1").result == "the blue one"
    assert len(events(app, "contact_answered", thread)) == 1


# SendGrid


def test_sendgrids_published_vector():
    """https://github.com/sendgrid/sendgrid-python/blob/main/test/unit/test_eventwebhook.py"""
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62"
        "gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    )
    signature = (
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluL"
        "tEZtM="
    )
    event = {
        "email": "hello@world.com",
        "event": "dropped",
        "reason": "Bounced Address",
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A"
        ".filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
        "timestamp": 1600112492,
    }
    body = json.dumps([event], sort_keys=True, separators=(",", ":")).encode() + b"\r\n"

    expect_signed(Inbound(body, {SIGNATURE: signature, TIME: "1600112502"}), key)
    for other in (
        Inbound(body, {SIGNATURE: signature, TIME: "1600112503"}),
        Inbound(body.strip(), {SIGNATURE: signature, TIME: "1600112502"}),
    ):
        with pytest.raises(BadSignature, match="Nothing was read"):
            expect_signed(other, key)
    with pytest.raises(BadSignature):
        expect_signed(Inbound(body, {SIGNATURE: signature, TIME: "1600112502"}), public(OTHER))


def _with(inbound: Inbound, **headers: str) -> Inbound:
    return Inbound(inbound.body, {**inbound.headers, **headers})


HONEST = sendgrid(signed(written("hello")))


@pytest.mark.parametrize(
    "inbound",
    [
        Inbound(HONEST.body + b" ", HONEST.headers),
        Inbound(HONEST.body.replace(b"hello", b"HELLO"), HONEST.headers),
        sendgrid(written("hello"), key=OTHER),
        _with(HONEST, **{SIGNATURE: ""}),
        _with(HONEST, **{SIGNATURE: "é" * 40}),
        _with(HONEST, **{SIGNATURE: "AAAA"}),
        _with(HONEST, **{TIME: "1"}),
        _with(HONEST, **{TIME: ""}),
        Inbound(HONEST.body, {SIGNATURE: HONEST.headers[SIGNATURE]}),
        Inbound(b"\xff not a form", HONEST.headers),
        Inbound(HONEST.body, {}),
    ],
)
def test_what_sendgrid_has_not_signed_is_refused_before_it_is_read(inbound: Inbound):
    with pytest.raises(BadSignature):
        email(postmark_login="").read(inbound, now=NOW)


@pytest.mark.parametrize("age", [timedelta(minutes=6), -timedelta(minutes=6), timedelta(days=400)])
def test_what_sendgrid_has_signed_long_ago_is_refused(age: timedelta):
    with pytest.raises(BadSignature, match="clocks"):
        email().read(HONEST, now=NOW + age)


@pytest.mark.parametrize(
    "inbound",
    [
        sendgrid(None),
        sendgrid(b"hello", field="text"),
        posted(b""),
        posted(b"\xff\xfe"),
        posted(b"not a form", kind="multipart/form-data"),
        posted(b"a=1&" * 500, kind="application/x-www-form-urlencoded"),
    ],
)
def test_what_is_signed_and_holds_no_mail_says_so(inbound: Inbound):
    with pytest.raises(InvalidRequest, match="Nothing was done"):
        email().read(inbound, now=NOW)


@pytest.mark.parametrize("key", ["***", "AAAA", "ü"])
def test_a_key_that_is_none_is_said_at_once(key: str):
    with pytest.raises(ConfigurationError, match="sendgrid_public_key"):
        email(sendgrid_public_key=key)


def test_a_key_of_another_kind_is_said_at_once():
    with pytest.raises(ConfigurationError, match="sendgrid_public_key"):
        email(sendgrid_public_key=public(rsa.generate_private_key(65537, 2048)))


# Postmark


@pytest.mark.parametrize(
    "inbound",
    [
        postmark(written("hello"), login="twelvefold:another-password-of-tests"),
        postmark(written("hello"), login="another:a-password-of-the-tests"),
        postmark(written("hello"), login=""),
        postmark(written("hello"), scheme="Bearer"),
        _with(postmark(written("hello")), authorization="Basic"),
        _with(postmark(written("hello")), authorization="Basic ***"),
        _with(postmark(written("hello")), authorization="é"),
        Inbound(b"not JSON", {"authorization": "Basic dHdlbHZlZm9sZDp4"}),
        Inbound(postmark(written("hello")).body, {}),
    ],
)
def test_who_does_not_know_the_login_brings_no_mail(inbound: Inbound):
    with pytest.raises(BadSignature):
        email(sendgrid_public_key="").read(inbound, now=NOW)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 20_000, b"\xff", b"{}"])
def test_a_body_that_holds_no_mail_says_so(body: bytes):
    inbound = Inbound(body, postmark(None).headers)

    with pytest.raises(InvalidRequest, match="Nothing was done"):
        email().read(inbound, now=NOW)


def test_a_raw_mail_of_odd_characters_is_no_crash():
    data = json.dumps({"RawEmail": "From: a@b\n\n\ud800 \x00"}).encode()

    said = email().read(Inbound(data, postmark(None).headers), now=NOW)

    assert isinstance(said, Written)


@pytest.mark.parametrize("login", ["nobody", ":a-password-of-the-tests", "twelvefold:short"])
def test_a_login_that_is_none_is_said_at_once(login: str):
    with pytest.raises(ConfigurationError, match="postmark_login"):
        email(postmark_login=login)


# Both and neither


def test_one_service_does_not_speak_for_another():
    both = {**HONEST.headers, **postmark(None).headers}

    with pytest.raises(BadSignature):  # signed by another key, and with the right login
        email().read(Inbound(sendgrid(b"x", key=OTHER).body, both), now=NOW)


@pytest.mark.parametrize("inbound", [HONEST, postmark(written("hello"))])
def test_what_is_not_set_up_takes_nothing(inbound: Inbound):
    with pytest.raises(BadSignature, match="No mail is taken by HTTP"):
        email(sendgrid_public_key="", postmark_login="").read(inbound, now=NOW)


# Over HTTP, from elsewhere and without a key


@pytest.fixture
def client() -> TestClient:
    agent = pipeline(Question(), carry_out=asking)
    app = app_of(agent, MemoryStore(), channels=[email()], clock=lambda: NOW)
    return TestClient(create_app(app), base_url="http://bot.example", client=("203.0.113.9", 1))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_service_posts_to_the_server_as_it_does(client: TestClient, way: Any):
    honest: Inbound = way(signed(written("hello")))
    forged = Inbound(honest.body.replace(b"hello", b"HELLO"), honest.headers)
    if way is postmark:
        forged = postmark(written("hello"), login="twelvefold:another-password-of-tests")

    def post(one: Inbound) -> int:
        given = dict(one.headers)
        return client.post("/v1/triggers/email", content=one.body, headers=given).status_code

    assert [post(one) for one in (forged, honest, honest)] == [401, 200, 200]
