"""Vendors' own verifiers accept what we sign, their published vectors are accepted by us, and what
is forged, stale, tampered or malformed is refused before anything is parsed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import standardwebhooks

from twelvefold.channels.cloudevents import CloudEvents
from twelvefold.channels.github import GitHub
from twelvefold.channels.linear import Linear
from twelvefold.channels.stripe import Stripe
from twelvefold.channels.webhook import Webhook
from twelvefold.exceptions import BadSignature, ConfigurationError, InvalidRequest
from twelvefold.inbound import Ignored, Inbound, Signalled, Written
from twelvefold.signatures import ID, SIGNATURE, TIME, standard
from twelvefold.triggers import Occurrence, Signal

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = str(int(NOW.timestamp()))
MS = int(NOW.timestamp() * 1000)
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes here").decode()


def said(event: str, data: Any) -> Occurrence:
    return Occurrence(f"{event}: {data.get('text', '')}", about={"seen": True})


def hexed(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Way(NamedTuple):
    """One vendor: its receiver, and how an honest sender signs a body at a time."""

    receiver: Any
    sign: Callable[[bytes, datetime], dict[str, str]]
    body: bytes
    timed: bool = True


def standard_headers(body: bytes, at: datetime) -> dict[str, str]:
    """Signed by the vendor's own library."""
    signature = standardwebhooks.Webhook(SECRET).sign("msg_1", at, body.decode())
    return {ID: "msg_1", TIME: str(int(at.timestamp())), SIGNATURE: signature}


def stripe_headers(body: bytes, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {"stripe-signature": f"t={stamp},v0=x,v1={hexed('s', stamp.encode() + b'.' + body)}"}


WAYS = {
    "github": Way(
        GitHub(secret="s", on=said, agent="bot"),
        lambda body, _: {
            "x-hub-signature-256": "sha256=" + hexed("s", body),
            "x-github-event": "push",
        },
        b'{"text": "\xc3\xa4", "sender": {"login": "anna"}}',
        timed=False,
    ),
    "stripe": Way(
        Stripe(secret="s", on=said, agent="bot"), stripe_headers, b'{"type": "charge.failed"}'
    ),
    "linear": Way(
        Linear(secret="s", on=said, agent="bot"),
        lambda body, _: {"linear-signature": hexed("s", body)},
        json.dumps({"type": "Issue", "action": "create", "webhookTimestamp": MS}).encode(),
    ),
    "cloudevents": Way(
        CloudEvents(secret=SECRET, on=said, agent="bot"),
        lambda body, at: (
            standard_headers(body, at) | {"content-type": "application/cloudevents+json"}
        ),
        json.dumps(
            {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"}
        ).encode(),
    ),
    "webhook": Way(
        Webhook(secret=SECRET, agent="bot"),
        standard_headers,
        json.dumps({"type": "message", "data": {"text": "hello"}}).encode(),
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


def signed(way: Way, body: bytes | None = None, at: datetime = NOW) -> Inbound:
    body = way.body if body is None else body
    return Inbound(body, way.sign(body, at))


def test_what_an_honest_sender_signs_is_read(way: Way):
    received = way.receiver.read(signed(way), now=NOW)

    assert isinstance(received, Written)
    assert received.key
    assert way.receiver.read(signed(way), now=NOW) == received


def test_a_forged_signature_is_refused_before_anything_is_read(way: Way):
    headers = {
        name: value if name in (ID, TIME, "x-github-event", "content-type") else value[:-4] + "beef"
        for name, value in way.sign(b"not JSON", NOW).items()
    }

    with pytest.raises(BadSignature, match="Nothing was read"):
        way.receiver.read(Inbound(b"not JSON", headers), now=NOW)


def test_another_body_is_refused(way: Way):
    headers = way.sign(way.body, NOW)

    for body in (way.body + b" ", way.body[:-1], b"", way.body.replace(b"e", b"3", 1)):
        with pytest.raises(BadSignature):
            way.receiver.read(Inbound(body, headers), now=NOW)


def test_another_secret_is_refused(way: Way):
    honest = way.sign(way.body, NOW)
    others = {
        "x-hub-signature-256": "sha256=" + hexed("other", way.body),
        "linear-signature": hexed("other", way.body),
        "stripe-signature": f"t={AT},v1={hexed('other', AT.encode() + b'.' + way.body)}",
        SIGNATURE: standard("whsec_b3RoZXI=", "msg_1", AT, way.body),
    }
    headers = honest | {name: value for name, value in others.items() if name in honest}

    with pytest.raises(BadSignature):
        way.receiver.read(Inbound(way.body, headers), now=NOW)


@pytest.mark.parametrize("missing", ["all", "each"])
def test_a_missing_header_is_refused(way: Way, missing: str):
    honest = way.sign(way.body, NOW)
    needed = [name for name in honest if name not in ("x-github-event", "content-type")]
    for name in [None] if missing == "all" else needed:
        left = {} if name is None else {k: v for k, v in honest.items() if k != name}
        with pytest.raises(BadSignature):
            way.receiver.read(Inbound(way.body, left), now=NOW)


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=400), -timedelta(minutes=6)])
@pytest.mark.parametrize("way", [way for way in WAYS.values() if way.timed], indirect=False)
def test_what_was_signed_long_ago_or_will_be_is_refused(way: Way, age: timedelta):
    with pytest.raises(BadSignature, match="clocks"):
        way.receiver.read(signed(way), now=NOW + age)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"[" * 20_000])
def test_a_signed_body_that_is_malformed_says_so(way: Way, body: bytes):
    with pytest.raises(InvalidRequest, match="Nothing was done"):
        way.receiver.read(signed(way, body), now=NOW)


@pytest.mark.parametrize("name", ["github", "stripe", "linear"])
def test_a_signed_body_that_is_no_text_says_so(name: str):
    with pytest.raises(InvalidRequest, match="Nothing was done"):
        WAYS[name].receiver.read(signed(WAYS[name], b"\xff\xfe{"), now=NOW)


@pytest.mark.parametrize("garbage", ["", "t=,v1=", "v1,", "t=x,v1=y", "sha256=", "é" * 40, "v1 v1"])
def test_a_header_of_garbage_is_refused(way: Way, garbage: str):
    for name in way.sign(way.body, NOW):
        if name not in ("x-github-event", "content-type"):
            headers = way.sign(way.body, NOW) | {name: garbage}
            with pytest.raises(BadSignature):
                way.receiver.read(Inbound(way.body, headers), now=NOW)


def test_a_github_delivery_replayed_under_another_id_is_the_same(way: Way):
    github = WAYS["github"]
    headers = github.sign(github.body, NOW)
    keys = {
        github.receiver.read(Inbound(github.body, headers | {"x-github-delivery": id}), now=NOW).key
        for id in ("1", "2")
    }

    assert len(keys) == 1


def test_githubs_published_vector():
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    github = GitHub(secret="It's a Secret to Everybody", on=said)
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    inbound = Inbound(b"Hello, World!", {"x-hub-signature-256": f"sha256={digest}"})

    with pytest.raises(InvalidRequest):  # signed, and no JSON
        github.read(inbound, now=NOW)


def test_the_published_vector_of_standard_webhooks():
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    secret, id, at = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
    )
    body = b'{"test": 2432232314}'

    assert standard(secret, id, str(at), body) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_their_library_accepts_what_we_sign():
    at = str(int(datetime.now(UTC).timestamp()))
    body = b'{"type": "told", "data": {"text": "\xc3\xa4"}}'
    headers = {ID: "msg_2", TIME: at, SIGNATURE: standard(SECRET, "msg_2", at, body)}

    assert standardwebhooks.Webhook(SECRET).verify(body, headers)["type"] == "told"


def test_a_secret_that_is_none_is_said_at_once():
    for secret in ("", "whsec_", "whsec_***", "plain text"):
        with pytest.raises(ConfigurationError):
            Webhook(secret=secret)


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed():
    webhook = WAYS["webhook"]
    headers = webhook.sign(webhook.body, NOW)
    headers[SIGNATURE] = "v1,AAAA " + headers[SIGNATURE] + " v2,BBBB"

    assert isinstance(webhook.receiver.read(Inbound(webhook.body, headers), now=NOW), Written)


# What events mean


def test_an_event_is_a_message_that_answers_nothing():
    received = WAYS["github"].receiver.read(signed(WAYS["github"]), now=NOW)

    assert isinstance(received, Written)
    assert (received.text, received.sender, received.answers) == ("push: ä", "anna", False)
    assert received.about == {"event": "push", "seen": True}
    assert received.conversation == received.key


def test_an_event_may_be_a_signal_or_nothing():
    body = b'{"action": "closed", "pull_request": {"merged": true}}'
    headers = WAYS["github"].sign(body, NOW) | {"x-github-event": "pull_request"}
    seen: list[str] = []

    def on(event: str, data: Any) -> Signal | None:
        seen.append(event)
        return Signal("t", "merged", 7) if data["pull_request"]["merged"] else None

    assert GitHub(secret="s", on=on).read(Inbound(body, headers), now=NOW) == Signalled(
        key=hashlib.sha256(body).hexdigest(), thread_id="t", signal="merged", data=7
    )
    assert seen == ["pull_request.closed"]
    nothing = GitHub(secret="s", on=lambda event, data: None)
    assert isinstance(nothing.read(Inbound(body, headers), now=NOW), Ignored)


def test_a_fault_in_the_users_function_is_no_fault_of_the_server():
    broken = GitHub(secret="s", on=lambda event, data: data["missing"])

    with pytest.raises(InvalidRequest, match="on= of github could not read push: KeyError"):
        broken.read(signed(WAYS["github"]), now=NOW)


def test_cloud_events_in_binary_mode():
    body = b'{"order": 7}'
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/shop",
        "ce-type": "order.paid",
        "ce-subject": "caf%C3%A9",
        "content-type": "application/json",
    }
    events: list[Any] = []
    receiver = CloudEvents(secret=SECRET, on=lambda event, data: events.append((event, data)))

    receiver.read(Inbound(body, standard_headers(body, NOW) | attributes), now=NOW)

    [(event, data)] = events
    assert (event, data["subject"], data["data"]) == ("order.paid", "café", {"order": 7})


def test_cloud_events_without_what_they_need_are_refused():
    for lacking in ("id", "source", "type", "specversion"):
        event = {"specversion": "1.0", "id": "1", "source": "/", "type": "t"}
        del event[lacking]
        with pytest.raises(InvalidRequest, match="A CloudEvent has"):
            WAYS["cloudevents"].receiver.read(
                signed(WAYS["cloudevents"], json.dumps(event).encode()), now=NOW
            )


def test_unsigned_events_need_an_explicit_word():
    for wrong in ({}, {"secret": SECRET, "unsigned": True}):
        with pytest.raises(ConfigurationError, match="for development"):
            CloudEvents(on=said, **wrong)
    body = WAYS["cloudevents"].body
    headers = {"content-type": "application/cloudevents+json"}
    received = CloudEvents(on=said, unsigned=True).read(Inbound(body, headers), now=NOW)
    assert isinstance(received, Written)
