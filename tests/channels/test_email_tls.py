"""SMTP and IMAP by TLS: the certificate is asked for, and no password goes to a server without."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from authority import Authority
from mail_servers import (
    AGENT,
    ANNA,
    DOVECOT,
    NO_TLS,
    PASSWORD,
    Post,
    became,
    dns,
    dovecot,
    post_office,
    signed,
    written,
)

from crew import Question, app_of, asking, ended, events, pipeline, settle
from twelvefold.app import App
from twelvefold.channels.email import Email, Imap, Smtp
from twelvefold.channels.email import mailbox as mailboxes
from twelvefold.directory import Directory
from twelvefold.testing import MemoryStore

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed"),
]
MODES = ("tls", "starttls")


@pytest.fixture
def authority(mail_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The one that this process trusts."""
    made = Authority(mail_folder, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    return made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def mailbox(stack: ExitStack, mail_folder: Path, by: Authority, mode: Any, **named: str) -> Imap:
    certificate, key = by.server(**named)
    tls = f"ssl = required\nssl_cert = <{certificate}\nssl_key = <{key}"
    port = stack.enter_context(dovecot(mail_folder, tls=tls, at_once=mode == "tls"))
    return Imap(host="127.0.0.1", port=port, user="agent", password=PASSWORD, tls=mode)


def post(stack: ExitStack, by: Authority, mode: str, **named: str) -> Post:
    context = by.context(**named)
    given = {"ssl_context": context} if mode == "tls" else {"tls_context": context}
    return stack.enter_context(post_office(require_starttls=mode == "starttls", **given))


async def taken(imap: Imap, mail_folder: Path, log: pytest.LogCaptureFixture) -> list[bytes]:
    """What is read of a mailbox that holds one mail, until it is read or refused."""
    (mail_folder / "Maildir/new/1.a.b").write_bytes(signed(written("hello")))
    found: list[bytes] = []

    async def take(raw: bytes) -> None:
        found.append(raw)

    opening = asyncio.create_task(mailboxes.listen(imap, take, name="email", pause_s=60.0))
    try:
        await became(lambda: bool(found) or "tried again" in log.text)
    finally:
        await ended(opening)
    return found


def logins(mail_folder: Path) -> int:
    log = mail_folder / "dovecot.log"
    return log.read_text().count("Login: user") if log.exists() else 0


@pytest.mark.parametrize("mode", MODES)
async def test_a_mailbox_whose_certificate_is_right_is_read(
    stack: ExitStack,
    mail_folder: Path,
    authority: Authority,
    mode: str,
    caplog: pytest.LogCaptureFixture,
):
    imap = mailbox(stack, mail_folder, authority, mode)

    [raw] = await taken(imap, mail_folder, caplog)

    assert b"hello" in raw
    assert logins(mail_folder) == 1


@pytest.mark.parametrize("mode", MODES)
async def test_a_mailbox_of_another_authority_gets_no_password(
    stack: ExitStack,
    mail_folder: Path,
    authority: Authority,
    mode: str,
    caplog: pytest.LogCaptureFixture,
):
    imap = mailbox(stack, mail_folder, Authority(mail_folder, "another"), mode)

    assert await taken(imap, mail_folder, caplog) == []

    assert "certificate verify failed" in caplog.text
    assert logins(mail_folder) == 0


@pytest.mark.parametrize("mode", MODES)
async def test_a_mailbox_with_a_certificate_for_another_host_gets_no_password(
    stack: ExitStack,
    mail_folder: Path,
    authority: Authority,
    mode: str,
    caplog: pytest.LogCaptureFixture,
):
    imap = mailbox(stack, mail_folder, authority, mode, address="192.0.2.1")

    assert await taken(imap, mail_folder, caplog) == []

    assert "certificate verify failed" in caplog.text
    assert logins(mail_folder) == 0


async def test_a_mailbox_that_offers_no_tls_gets_no_password(
    stack: ExitStack, mail_folder: Path, authority: Authority, caplog: pytest.LogCaptureFixture
):
    port = stack.enter_context(dovecot(mail_folder, tls=NO_TLS))
    imap = Imap(host="127.0.0.1", port=port, user="agent", password=PASSWORD, tls="starttls")

    assert await taken(imap, mail_folder, caplog) == []

    assert logins(mail_folder) == 0


async def asked(post: Post, mode: Any) -> App:
    smtp = Smtp(host="127.0.0.1", port=post.port, tls=mode, user="agent", password="the-password")
    email = Email(address=AGENT, secret="a secret of the tests", smtp=smtp, dns=dns)
    people = Directory(addresses={"anna": {"email": ANNA}})
    agent = pipeline(Question(), carry_out=asking)
    app = app_of(agent, MemoryStore(), directory=people, channels=[email])
    before = sockets()
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await became(lambda: sockets() <= before)  # TLS takes its leave after the mail is sent
    return app


def sockets() -> int:
    """What this loop has open: one that ends with more in it leaves them to the collector."""
    return len(asyncio.get_running_loop()._selector.get_map())


@pytest.mark.parametrize("mode", MODES)
async def test_mail_goes_out_to_a_server_whose_certificate_is_right(
    stack: ExitStack, authority: Authority, mode: str
):
    server = post(stack, authority, mode)
    server.password = "the-password"

    app = await asked(server, mode)

    assert [to for to, _ in server.sent] == [ANNA]
    assert events(app, "contact_not_sent") == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", ["another authority", "another host"])
async def test_no_mail_and_no_password_goes_to_any_other(
    stack: ExitStack, mail_folder: Path, authority: Authority, mode: str, fault: str
):
    by = authority if fault == "another host" else Authority(mail_folder, "another")
    named = {"address": "192.0.2.1"} if fault == "another host" else {}
    server = post(stack, by, mode, **named)

    app = await asked(server, mode)

    [failed] = events(app, "contact_not_sent")
    assert "certificate verify failed" in failed.data["error"]
    assert server.sent == []


async def test_a_server_that_offers_no_tls_gets_no_password(stack: ExitStack, authority: Authority):
    server = stack.enter_context(post_office())

    app = await asked(server, "starttls")

    [failed] = events(app, "contact_not_sent")
    assert "STARTTLS" in failed.data["error"]
    assert server.sent == []
