"""The mailbox: a real Dovecot and a real SMTP server, from what is asked to the answer."""

import asyncio
from contextlib import asynccontextmanager
from mailbox import Maildir
from pathlib import Path
from typing import Any

import pytest
from mail_servers import (
    AGENT,
    ANNA,
    DOVECOT,
    Post,
    answering,
    became,
    dns,
    mailed,
    signed,
    unseen,
    written,
)

from crew import Question, app_of, asking, ended, events, pipeline, seen, state
from twelvefold.app import App
from twelvefold.channels.email import Email, Imap, Smtp
from twelvefold.channels.email import mailbox as mailboxes
from twelvefold.directory import Directory
from twelvefold.inbound import thread_of
from twelvefold.testing import MemoryStore

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed"),
]
PEOPLE = Directory(addresses={"anna": {"email": ANNA}})
T = thread_of("email", "<1@example.com>")


def channel(post: Post, imap: Imap) -> Email:
    return Email(
        address=AGENT,
        secret="a secret of the tests",
        smtp=Smtp(host="127.0.0.1", port=post.port, tls="none"),
        imap=imap,
        agent="crew",
        dns=dns,
    )


@asynccontextmanager
async def running(app: App, email: Email) -> Any:
    tasks = [asyncio.create_task(app.run()), asyncio.create_task(email.listen(app.receive))]
    try:
        yield
    finally:
        for task in tasks:
            await ended(task)


async def test_asked_by_mail_and_answered_by_a_reply(post: Post, imap: Imap, mail_folder: Path):
    email = channel(post, imap)
    app = app_of(
        pipeline(Question(), carry_out=asking), MemoryStore(), directory=PEOPLE, channels=[email]
    )
    async with running(app, email):
        await mailed(post, signed(written("Where is my parcel?")))
        await became(lambda: [to for to, _ in post.sent] == [AGENT, ANNA])
        asked = post.to(ANNA)

        reply = signed(answering(asked, "the blue one"))
        await mailed(post, reply, str(asked["Reply-To"]))
        await seen(app, T, "finished")
        await became(lambda: unseen(mail_folder) == 0)

        await mailed(post, reply, str(asked["Reply-To"]))  # once more, by the mail server
        later = written("And the other?", id="<3@example.com>", References="<1@example.com>")
        await mailed(post, signed(later))
        await seen(app, T, "message_received", 2)
        await became(lambda: unseen(mail_folder) == 0)

    assert state(app, T).by_id("s1").result == "the blue one"
    assert len(events(app, "contact_answered", T)) == 1
    assert [e.data["text"] for e in events(app, "message_received", T)] == [
        "Where is my parcel?",
        "And the other?",
    ]


async def test_a_mail_is_seen_only_when_it_is_durable(post: Post, imap: Imap, mail_folder: Path):
    email, tried = channel(post, imap), list[bytes]()
    await mailed(post, raw := signed(written("hello")))

    async def take(found: bytes) -> None:
        tried.append(found)
        if len(tried) == 1:
            assert unseen(mail_folder) == 1
            raise ConnectionError("the store is away")

    listening = asyncio.create_task(mailboxes.listen(imap, take, name=email.name, pause_s=0.01))
    await became(lambda: len(tried) == 2 and unseen(mail_folder) == 0)
    await ended(listening)

    assert tried[0].replace(b"\r\n", b"\n") == tried[1].replace(b"\r\n", b"\n")
    assert tried[1].replace(b"\r\n", b"\n").strip() == raw.replace(b"\r\n", b"\n").strip()


async def test_what_cannot_be_read_stops_nothing(post: Post, imap: Imap, mail_folder: Path):
    email = channel(post, imap)
    app = app_of(
        pipeline(Question(), carry_out=asking), MemoryStore(), directory=PEOPLE, channels=[email]
    )
    garbage = b"From: =?utf-8?q?=FF?= <@@,,;>\nTo: \xff\xfe\nContent-Type: ;;\n\n\x00\xff"
    Maildir(mail_folder / "Maildir").add(garbage)
    async with running(app, email):
        await mailed(post, signed(written("hello")))
        await became(lambda: unseen(mail_folder) == 0 and len(app.store.threads()) > 0)

    assert len(events(app, "message_received", T)) == 1


async def test_one_mail_that_fails_holds_up_no_other(imap: Imap, mail_folder: Path):
    Maildir(mail_folder / "Maildir").add(written("one"))
    Maildir(mail_folder / "Maildir").add(written("two"))
    taken: list[bytes] = []

    async def take(raw: bytes) -> None:
        taken.append(raw)
        if b"one" in raw:
            raise ValueError("this one never goes in")

    listening = asyncio.create_task(mailboxes.listen(imap, take, name="email", pause_s=0.01))
    await became(lambda: sum(b"one" in raw for raw in taken) > 2 and unseen(mail_folder) == 1)
    await ended(listening)

    assert sum(b"two" in raw for raw in taken) == 1
