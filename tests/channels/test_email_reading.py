"""What a mail says: new words without old ones, one author, no garbage; and what Mailgun posts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import rfc8463
from mail_servers import AGENT, ANNA, dns, key_of, signed, written

from twelvefold.channels.email import Email, Smtp
from twelvefold.channels.email.mailgun import signature
from twelvefold.channels.email.proof import Keys, is_proven
from twelvefold.channels.email.reading import MAIL_BYTES_MAX, read
from twelvefold.channels.email.replies import latest
from twelvefold.channels.email.writing import without_re
from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.inbound import Ignored, Inbound, Written

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "key-of-the-tests"


def received(raw: bytes) -> Any:
    keys = Keys(dns)
    proof = lambda raw, domain: is_proven(raw, domain, keys)  # noqa: E731
    return read(raw, address=AGENT, senders=None, proof=proof)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("yes", "yes"),
        ("yes\n\nOn Fri, Nov 20, 2026 at 10:00 AM Bot <a@b.example> wrote:\n> no", "yes"),
        ("blau\n\nAm 20.11.2026 um 10:00 schrieb Bot:\n> grün", "blau"),
        ("yes\n-- \nAnna\nHead of everything", "yes"),
        ("yes\n\nSent from my iPhone", "yes"),
        ("two things:\n- one\n- two", "two things:\n- one\n- two"),
        ("> yes", ""),
        ("> which one?\nthe blue one", "the blue one"),
        ("grüße 你好 🎈", "grüße 你好 🎈"),
    ],
)
def test_of_a_reply_only_the_new_words_count(text: str, new: str):
    assert latest(text) == new


@pytest.mark.parametrize("part", ["\n", "> a\n", "On ", "-- \n", "From: a\n", "_", " \t"])
def test_a_text_made_to_be_slow_is_read(part: str):
    assert len(latest(part * (50_000 // len(part)))) <= 50_000


def test_a_mail_in_html_alone_is_read_as_text():
    raw = written("<p>yes</p><blockquote>no</blockquote><style>p {}</style>")

    said = received(raw.replace(b"text/plain", b"text/html"))

    assert said.text == "yes"


@pytest.mark.parametrize(
    ("subject", "plain"),
    [
        ("the parcel", "the parcel"),
        ("Re: RE:re: AW: x", "x"),
        ("Re[2]: x", "x"),
        ("Regarding", "Regarding"),
    ],
)
def test_a_subject_is_left_without_any_re(subject: str, plain: str):
    assert without_re(subject) == plain


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"From: \xff\xfe\n\n",
        b"From: a@b, c@d\n\nhello",
        b"From: =?utf-8?b?////?= <@@,;>\nContent-Type: multipart/mixed; boundary=\n\n--\n",
        b"From: a@b.example\nContent-Type: text/plain; charset=none\n\n\xff\x00hello",
        b"From: a@b.example\nDKIM-Signature: v=1; a=; b=; d=\xff\n\nhello",
        b"From: a@b.example\nReferences: <>\xff<\nTo: agent+\xff@bot.example, <<>>\n\nhello",
        b"\0" * 1000,
        b"From: a@b.example\nMessage-ID: <" + b"x" * 2000 + b">\n\nhello",
    ],
)
def test_garbage_is_nothing_or_says_so(raw: bytes):
    try:
        said = received(raw)
    except InvalidRequest:
        return
    assert isinstance(said, Ignored) or (isinstance(said, Written) and not said.answers)


def test_a_mail_that_is_too_large_says_so():
    with pytest.raises(InvalidRequest, match="at most"):
        received(b"x" * (MAIL_BYTES_MAX + 1))


# Who signed it


def proven(raw: bytes, *, domain: str = "example.com", record: Any = dns) -> bool:
    return is_proven(raw, domain, Keys(record))


def test_a_signature_of_the_authors_domain_is_a_proof():
    assert proven(signed(written("hello")))
    assert proven(signed(signed(written("hello")), domain="evil.example"))  # one of two
    assert not proven(written("hello"))
    assert not proven(signed(written("hello")), domain="evil.example")
    assert not proven(signed(written("hello")), domain="mail.example.com")


@pytest.mark.parametrize("record", [None, b"", b"v=DKIM1; p=", b"v=DKIM1; k=rsa; p=%%%", b"\xff"])
def test_without_a_key_nothing_is_proven(record: bytes | None):
    assert not proven(signed(written("hello")), record=lambda name: record)


def test_a_key_that_is_being_tested_proves_nothing():
    record = key_of("example.com")[1]

    assert proven(signed(written("hello")), record=lambda name: record + b"; t=s")
    assert not proven(signed(written("hello")), record=lambda name: record + b"; t=s:y")


def test_a_dns_that_fails_proves_nothing():
    def failing(name: str) -> bytes:
        raise TimeoutError

    assert not proven(signed(written("hello")), record=failing)


def test_a_key_is_asked_for_once():
    asked: list[str] = []

    def counted(name: str) -> bytes | None:
        asked.append(name)
        return dns(name)

    keys = Keys(counted)

    assert all(is_proven(signed(written("hello")), "example.com", keys) for _ in range(3))
    assert asked == ["s1._domainkey.example.com."]


@pytest.mark.parametrize("end", [b"\r", b"\0"])
def test_a_header_line_that_ends_in_another_way_proves_nothing(end: bytes):
    raw = written("hello").replace(b"the parcel", b"the parcel" + end + b"X: y")

    assert not proven(signed(raw))


# Mailgun


def mailgun(**options: Any) -> Email:
    given: dict[str, Any] = {"address": AGENT, "secret": "a secret of the tests", "dns": dns}
    given |= {"smtp": Smtp(host="127.0.0.1"), "mailgun_signing_key": KEY, "agent": "crew"}
    return Email(**(given | options))


def posted(raw: bytes, *, at: datetime = NOW, key: str = KEY, **more: str) -> Inbound:
    stamp = str(int(at.timestamp()))
    form = {"timestamp": stamp, "token": "t" * 50, "signature": signature(key, stamp, "t" * 50)}
    body = urlencode(form | {"body-mime": raw} | more).encode()
    return Inbound(body, {"content-type": "application/x-www-form-urlencoded"})


def test_what_mailgun_posts_is_read():
    said = mailgun().read(posted(signed(written("grüße"))), now=NOW)

    assert isinstance(said, Written)
    assert (said.text, said.sender, said.assurance) == ("grüße", ANNA, "email")


def test_mailgun_posts_forms_of_several_parts_too():
    raw, stamp = signed(written("hello")), str(int(NOW.timestamp()))
    fields = {"timestamp": stamp, "token": "t", "signature": signature(KEY, stamp, "t")}
    parts = [(name, text.encode()) for name, text in fields.items()] + [("body-mime", raw)]
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in parts
    )
    inbound = Inbound(body + b"--b--\r\n", {"content-type": "multipart/form-data; boundary=b"})

    said = mailgun().read(inbound, now=NOW)

    assert isinstance(said, Written)
    assert (said.text, said.assurance) == ("hello", "email")


@pytest.mark.parametrize(
    "inbound",
    [
        posted(b"", key="another key"),
        posted(written("hello"), signature="\u00e9"),
        posted(written("hello"), token="another"),
        posted(written("hello"), timestamp="1"),
        posted(written("hello"), at=NOW - timedelta(minutes=6)),
        posted(written("hello"), at=NOW + timedelta(minutes=6)),
        Inbound(b"", {}),
        Inbound(b"\xff\xfe", {}),
        Inbound(b"a=1&" * 500, {}),
        Inbound(b"--b", {"content-type": "multipart/form-data; boundary=b"}),
        Inbound(b"x", {"content-type": "multipart/form-data"}),
        Inbound(b"x", {"content-type": "multipart/form-data; boundary=\r\nX: y"}),
    ],
)
def test_what_mailgun_has_not_signed_now_is_refused(inbound: Inbound):
    with pytest.raises(BadSignature):
        mailgun().read(inbound, now=NOW)


def test_a_route_that_sends_no_raw_mail_says_so():
    inbound = posted(b"")

    with pytest.raises(InvalidRequest, match="'mime'"):
        mailgun().read(Inbound(inbound.body.replace(b"body-mime", b"body-text"), {}), now=NOW)


# A published mail


def is_proven_with(raw: bytes, *names: str, domain: str = rfc8463.DOMAIN) -> bool:
    records = {name: rfc8463.KEYS[name] for name in names}
    return is_proven(raw, domain, Keys(records.get))


def test_the_mail_of_rfc_8463_is_proven_by_its_rsa_signature():
    assert is_proven_with(rfc8463.MAIL, rfc8463.RSA, rfc8463.ED25519)
    assert is_proven_with(rfc8463.MAIL, rfc8463.RSA)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"We lost", b"We won"), (b"Joe SixPack", b"Eve"), (b"dinner", b"supper"), (b"Suzie", b"Eve")],
)
def test_the_mail_of_rfc_8463_is_not_proven_when_it_was_changed(old: bytes, new: bytes):
    assert not is_proven_with(rfc8463.MAIL.replace(old, new), rfc8463.RSA)


def test_the_mail_of_rfc_8463_proves_no_other_domain():
    assert not is_proven_with(rfc8463.MAIL, rfc8463.RSA, domain="example.com")


def test_the_mail_of_rfc_8463_is_proven_by_its_ed25519_signature_alone():
    assert is_proven_with(rfc8463.MAIL, rfc8463.ED25519)


@pytest.mark.parametrize(
    ("old", "new"), [(b"We lost", b"We won"), (b"dinner", b"supper"), (b"Suzie", b"Eve")]
)
def test_an_ed25519_signature_proves_no_mail_that_was_changed(old: bytes, new: bytes):
    assert not is_proven_with(rfc8463.MAIL.replace(old, new), rfc8463.ED25519)
