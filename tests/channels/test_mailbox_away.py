"""A mailbox whose server is killed and started again: no mail is lost, and none counts twice."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mail_servers import (
    AGENT,
    ANNA,
    DOVECOT,
    PASSWORD,
    Post,
    became,
    dns,
    killed,
    mailed,
    post_office,
    short_folder,
    signed,
    started,
    unseen,
    written,
)

from crew import Question, app_of, asking, ended, events, pipeline
from ports import free_port
from twelvefold.app import App
from twelvefold.app.listening import listening
from twelvefold.channels.email import Email, Imap, Smtp
from twelvefold.directory import Directory
from twelvefold.inbound import Inbound, thread_of
from twelvefold.testing import MemoryStore

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed"),
]


class Office:
    """A mailbox whose server can be killed; mails arrive in it meanwhile, as they do."""

    def __init__(self, folder: Path, post: Post) -> None:
        self.folder, self.post, self.port = folder, post, free_port()
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.server = started(self.folder, port=self.port)

    def kill(self) -> None:
        assert self.server is not None
        killed(self.server)
        self.server = None

    def email(self) -> Email:
        return Email(
            address=AGENT,
            secret="a secret of the tests",
            smtp=Smtp(host="127.0.0.1", port=self.post.port, tls="none"),
            imap=Imap(
                host="127.0.0.1", port=self.port, user="agent", password=PASSWORD, tls="none"
            ),
            agent="crew",
            dns=dns,
        )

    async def write(self, number: int) -> None:
        mail = written(f"mail {number}", id=f"<{number}@example.com>")
        await mailed(self.post, signed(mail))


@pytest.fixture
def office() -> Iterator[Office]:
    with short_folder() as folder, ExitStack() as stack:
        office = Office(folder, stack.enter_context(post_office(folder / "Maildir")))
        office.start()
        yield office
        if office.server is not None:
            office.kill()


def made(email: Email) -> App:
    people = Directory(addresses={"anna": {"email": ANNA}})
    agent = pipeline(Question(), carry_out=asking)
    return app_of(agent, MemoryStore(), directory=people, channels=[email])


def thread(number: int) -> str:
    return thread_of("email", f"<{number}@example.com>")


def count(app: App) -> int:
    return len(app.store.threads())


async def test_mails_that_came_meanwhile_are_read_when_it_is_back_each_once(
    office: Office, caplog: pytest.LogCaptureFixture
):
    app = made(office.email())
    async with listening(app):
        await office.write(1)
        await became(lambda: count(app) == 1 and unseen(office.folder) == 0)
        office.kill()
        await became(lambda: "the mailbox is tried again" in caplog.text)
        await office.write(2)
        await office.write(3)
        assert count(app) == 1
        office.start()
        await became(lambda: count(app) == 3 and unseen(office.folder) == 0)
        await office.write(4)  # and it is heard of at once again
        await became(lambda: count(app) == 4 and unseen(office.folder) == 0)

    for number in range(1, 5):
        [message] = events(app, "message_received", thread(number))
        assert message.data["text"] == f"mail {number}"


async def test_a_mail_that_could_not_be_marked_as_seen_is_read_again_and_counts_once(
    office: Office,
):
    email, outcomes = office.email(), list[str]()
    app = made(email)

    async def receive(source: str, inbound: Inbound) -> Any:
        receipt, reply = await app.receive(source, inbound)
        outcomes.append(receipt.outcome)
        if len(outcomes) == 1:
            office.kill()  # it is durable here, and not marked there
        return receipt, reply

    task = asyncio.create_task(email.listen(receive))
    await office.write(1)
    await became(lambda: office.server is None)
    assert unseen(office.folder) == 1
    office.start()
    await became(lambda: unseen(office.folder) == 0)
    await ended(task)

    assert outcomes == ["begun", "ignored"]
    assert len(events(app, "message_received", thread(1))) == 1


async def test_a_server_that_is_not_there_at_first_is_waited_for(office: Office):
    office.kill()
    app = made(office.email())
    async with listening(app):
        await office.write(1)
        office.start()
        await became(lambda: count(app) == 1 and unseen(office.folder) == 0)
