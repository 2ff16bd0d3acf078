"""The mail crew by mail: a real SMTP server and a real Dovecot between customers and colleagues."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from loading import app_of, example

from channels.mail_servers import (
    AGENT,
    DOVECOT,
    Post,
    answering,
    became,
    dns,
    mailed,
    plain,
    signed,
    unseen,
    written,
)
from crew import ended, seen
from twelvefold import App
from twelvefold.channels.email import Email, Imap, Smtp
from twelvefold.inbound import thread_of
from twelvefold.testing import replays

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed"),
]
crew, smtp_post = example("mailcrew"), example("mailcrew", "smtp_post")
ADA, ANNA, BEN = "ada@example.com", "anna@crew.example.com", "ben@crew.example.com"
T = thread_of("email", "<ada-1@example.com>")
LINK_PLEASE = "Where can I pay in_1001?"


@pytest.fixture
def billing(tmp_path: Path) -> Any:
    return crew.Billing(tmp_path / "billing.db")


class Office:
    """The crew at work: its application, its channel, and both mail servers."""

    def __init__(self, app: App, email: Email, post: Post, folder: Path) -> None:
        self.app, self.email, self.post, self.folder = app, email, post, folder

    def mails(self, to: str) -> list[Any]:
        return [mail for address, mail in self.post.sent if address == to]

    def log(self, type: str) -> list[Mapping[str, Any]]:
        return [event.data for event in self.app.thread(T).events if event.type == type]

    async def asked(self, to: str, count: int) -> Any:
        """The `count`-th mail to somebody, as soon as it is there."""
        await became(lambda: len(self.mails(to)) >= count)
        return self.mails(to)[count - 1]

    async def replied(self, mail: Any, text: str, *, sender: str, **options: str) -> None:
        raw = answering(mail, text, sender=sender, **options)
        await mailed(self.post, signed(raw, domain=sender.partition("@")[2]), str(mail["Reply-To"]))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self.app.run()),
            asyncio.create_task(self.email.listen(self.app.receive)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                await ended(task)


@pytest.fixture
def office(post: Post, imap: Imap, billing: Any, mail_folder: Path, tmp_path: Path) -> Office:
    server = Smtp(host="127.0.0.1", port=post.port, tls="none")
    email = Email(
        address=AGENT,
        secret="a secret of the tests",
        smtp=server,
        imap=imap,
        agent="mailcrew",
        invites="medium",
        inbox_url="https://crew.example",
        dns=dns,
    )
    answers = smtp_post.SmtpPost(tmp_path / "post.db", server, AGENT)
    app = app_of(crew, deps=crew.World(billing, answers), channels=[email])
    return Office(app, email, post, mail_folder)


def from_ada(text: str, **headers: str) -> bytes:
    given = {"Subject": "Invoice", "id": "<ada-1@example.com>"} | headers
    return signed(written(text, sender=ADA, **given))


async def test_a_crew_that_is_asked_by_mail_answers_the_customer_in_her_thread(
    office: Office, billing: Any
):
    async with office.at_work():
        await mailed(office.post, from_ada(LINK_PLEASE))
        link = await office.asked(ANNA, 1)
        assert "Reply yes" in plain(link)
        await office.replied(link, "hmm, what's their address?", sender=ANNA, id="<a1@x>")

        back = await office.asked(ANNA, 2)
        assert "Their address is ada@example.com. Shall I go on?" in plain(back)
        assert billing.effects() == {}  # what is no yes approves nothing
        await office.replied(back, "Yes", sender=ANNA, id="<a2@x>")
        await office.replied(await office.asked(ANNA, 3), "yes", sender=ANNA, id="<a3@x>")
        await office.replied(await office.asked(BEN, 4), "yes\n\n-- \nBen", sender=BEN, id="<b1@x>")

        answer = await office.asked(ADA, 1)
        assert "Please pay in_1001 here: https://" in plain(answer)
        assert (answer["Subject"], answer["References"]) == ("Re: Invoice", "<ada-1@example.com>")
        await seen(office.app, T, "finished")
        thanks = from_ada(
            "Thank you!", id="<ada-2@example.com>", Subject="Re: Invoice",
            References=f"<ada-1@example.com> {answer['Message-ID']}",
        )  # fmt: skip
        await mailed(office.post, thanks)
        await seen(office.app, T, "finished", 2)
        await became(lambda: unseen(office.folder) == 0)

    assert len(office.app.threads()) == 1
    assert billing.effects() == {"link in_1001": 1}
    assert len(office.mails(ADA)) == 1
    said = [(d["from"], d["text"]) for d in office.log("message_received")]
    assert said == [(ADA, LINK_PLEASE), ("anna", "hmm, what's their address?"), (ADA, "Thank you!")]
    assert {mail["Subject"] for _, mail in office.post.sent if mail["From"] == AGENT} == {
        "Re: Invoice"
    }
    assert replays(office.app) == 1


async def came(office: Office, raw: bytes) -> str:
    receipt, _ = await office.app.receive("email", office.email.mail(raw))
    await office.app.run(until_idle=True)
    return receipt.outcome


async def test_the_customer_sees_nothing_of_what_colleagues_are_asked(office: Office):
    await came(office, from_ada(LINK_PLEASE))

    assert sorted(to for to, _ in office.post.sent) == [ANNA, BEN]


async def test_a_charge_is_decided_in_the_inbox_alone(office: Office, billing: Any):
    await came(office, from_ada("Please charge my card for in_1001."))
    asked = office.mails(ANNA)[0]

    assert "Reply yes" not in plain(asked)
    assert f"https://crew.example/contacts/{T}." in plain(asked)
    yes = signed(answering(asked, "yes", sender=ANNA), domain="crew.example.com")
    assert await came(office, yes) == "refused"
    assert billing.effects() == {}


async def test_a_mail_that_nobody_has_signed_charges_no_card(office: Office, billing: Any):
    unsigned = written("Please charge my card for in_1001.", sender=ADA, id="<ada-1@example.com>")

    assert await came(office, unsigned) == "begun"

    assert "refused: nothing proves who asks for this charge" in str(office.log("step_settled"))
    assert "pay_invoice" not in [data["intent"] for data in office.log("contact_requested")]


@pytest.mark.parametrize(
    "forged",
    [
        lambda asked: answering(asked, "yes", sender=ANNA),
        lambda asked: signed(answering(asked, "yes", sender=ANNA), domain="evil.example"),
        lambda asked: signed(
            answering(asked, "yes", sender=ANNA, Auto_Submitted="auto-replied"),
            domain="crew.example.com",
        ),
        lambda asked: (
            b"Return-Path: <>\r\n"
            + signed(answering(asked, "yes", sender=ANNA), domain="crew.example.com")
        ),
        lambda asked: signed(answering(asked, "yes", sender=BEN), domain="crew.example.com"),
        lambda asked: signed(answering(asked, "yes", sender=ADA)),
        lambda asked: signed(
            answering(asked, "yes", sender=ANNA, to=AGENT, References="<ada-1@example.com>")
            .replace(b"yes", b"Fwd: yes"),
            domain="crew.example.com",
        ),
    ],
    ids=["unsigned", "forged", "auto-reply", "bounce", "another's token", "customer", "forward"],
)  # fmt: skip
async def test_what_proves_nobody_approves_nothing(office: Office, billing: Any, forged: Any):
    await came(office, from_ada(LINK_PLEASE))

    await came(office, forged(office.mails(ANNA)[0]))

    assert office.log("contact_answered") == []
    assert billing.effects() == {}


def test_mail_is_there_where_the_environment_names_its_servers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    channel = example("mailcrew", "mail_channel")
    assert channel.channels() == []
    given = "EMAIL_ADDRESS SMTP_HOST SMTP_USER SMTP_PASSWORD IMAP_HOST IMAP_USER IMAP_PASSWORD"
    for name in given.split():
        monkeypatch.setenv(name, AGENT)
    monkeypatch.setenv("EMAIL_SECRET", "a secret of the tests")

    [email] = channel.channels()
    assert (email.name, email.agent) == ("email", "mailcrew")
    assert type(channel.post(tmp_path / "post.db")).__name__ == "SmtpPost"
