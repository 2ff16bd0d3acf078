"""Each channel with both of its ends: the provider on loopback, and people there who press, write
and reply. What the contract of all channels asks is asked of these."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any, ClassVar, NamedTuple, Protocol

import erp
import mail_servers
import slack_api
import twilio_api

from twelvefold import guard
from twelvefold.app import App
from twelvefold.channels.email import Email, Smtp
from twelvefold.channels.slack import Slack
from twelvefold.channels.sms import Sms
from twelvefold.channels.webhook import Webhook
from twelvefold.inbound import Inbound

PEOPLE = ("anna", "ben", "carl")
"""carl is in the directory, and is asked nothing."""


class Arrived(NamedTuple):
    """A message that somebody has got: where, and all of what it shows."""

    to: str
    text: str


class Wire(Protocol):
    """A channel and its provider. `at` is when a request is signed.

    `timed`: whether its signatures carry a time; `edits`: whether it offers to change arguments.
    """

    name: str
    channel: Any
    addresses: dict[str, str]
    secrets: Sequence[str]
    timed: bool
    edits: bool

    def fails(self, down: bool) -> None: ...
    def arrived(self) -> list[Arrived]: ...
    def changed(self) -> list[Arrived]: ...
    def acting(self) -> list[str]: ...
    def writes(self, person: str, text: str, *, at: datetime) -> Inbound: ...
    def approves(self, person: str, *, at: datetime, of: str = "") -> Inbound: ...
    def answers(self, person: str, text: str, *, at: datetime) -> Inbound: ...
    def edited(self, person: str, changes: dict[str, Any], *, at: datetime) -> Inbound: ...
    def forged(self, honest: Inbound) -> list[Inbound]: ...
    def malformed(self, *, at: datetime) -> Inbound: ...

    async def denies(self, app: App, person: str, why: str, *, at: datetime) -> Inbound: ...


def _tampered(honest: Inbound, header: str, other: str) -> list[Inbound]:
    """Another body, another signature, none, and one of garbage."""
    headers = dict(honest.headers)
    return [
        Inbound(honest.body + b" ", headers),
        Inbound(honest.body, headers | {header: other}),
        Inbound(honest.body, {name: v for name, v in headers.items() if name != header}),
        Inbound(honest.body, headers | {header: "\u00e9" * 40}),
        Inbound(b"\xff\xfe", headers),
    ]


class SlackWire:
    name, timed, edits = "slack", True, False
    addresses: ClassVar = {"anna": "U1", "ben": "U2", "carl": "U3"}
    secrets = (slack_api.TOKEN, slack_api.SECRET)

    def __init__(self, workspace: slack_api.Workspace) -> None:
        self.workspace, self._ts = workspace, count(1)
        self.channel: Any = Slack(
            token=slack_api.TOKEN,
            signing_secret=slack_api.SECRET,
            agent="crew",
            api=workspace.url,
        )

    def fails(self, down: bool) -> None:
        self.workspace.down = down

    def arrived(self) -> list[Arrived]:
        return [Arrived(m["channel"], _slack_text(m)) for m in self.workspace.posted]

    def changed(self) -> list[Arrived]:
        return [Arrived(m["channel"], _slack_text(m)) for m in self.workspace.of("chat.update")]

    def acting(self) -> list[str]:
        raw = [block for _, m in self.workspace.calls for block in m.get("blocks", ())]
        text = "\n".join(_raw(block) for block in raw)
        found = re.findall(r"<[!@#h][^>]*>|[\u202a-\u202e\u2066-\u2069\x1b]", text)
        return [*found, *(["an open code block"] if text.count("```") % 2 else [])]

    def writes(self, person: str, text: str, *, at: datetime) -> Inbound:
        user = self.addresses[person]
        return slack_api.event(text=text, user=user, ts=f"{next(self._ts)}.0", at=at)

    def approves(self, person: str, *, at: datetime, of: str = "") -> Inbound:
        return self._pressed("Approve", person, at, of)

    def answers(self, person: str, text: str, *, at: datetime) -> Inbound:
        about = json.loads(self._button("Answer", person)["value"])
        view = {"callback_id": "answer", "private_metadata": json.dumps(about)}
        return slack_api.submit(view, text, user=self.addresses[person], at=at)

    def edited(self, person: str, changes: dict[str, Any], *, at: datetime) -> Inbound:
        raise AssertionError("it offers none")

    def forged(self, honest: Inbound) -> list[Inbound]:
        return _tampered(honest, "x-slack-signature", "v0=" + "0" * 64)

    def malformed(self, *, at: datetime) -> Inbound:
        return slack_api.signed(b'{"type": "event_callback"', "application/json", at=at)

    async def denies(self, app: App, person: str, why: str, *, at: datetime) -> Inbound:
        await app.receive("slack", self._pressed("Deny", person, at))
        view = self.workspace.of("views.open")[-1]["view"]
        return slack_api.submit(view, why, user=self.addresses[person], at=at)

    def _pressed(self, label: str, person: str, at: datetime, of: str = "") -> Inbound:
        button = self._button(label, of or person)
        return slack_api.press(button, user=self.addresses[person], at=at)

    def _button(self, label: str, person: str) -> dict[str, Any]:
        to = self.addresses[person]
        found = [m for m in self.workspace.posted if m["channel"] == to and slack_api.buttons(m)]
        return slack_api.buttons(found[-1])[label]


def _raw(block: dict[str, Any]) -> str:
    return json.dumps(block, ensure_ascii=False)


def _slack_text(message: dict[str, Any]) -> str:
    text = slack_api.words(message)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class EmailWire:
    name, timed, edits = "email", False, False
    addresses: ClassVar = {
        "anna": mail_servers.ANNA,
        "ben": mail_servers.BEN,
        "carl": "carl@example.com",
    }
    secrets = ("a secret of the tests",)

    def __init__(self, post: mail_servers.Post) -> None:
        self.post, self._ids = post, count(1)
        self.channel: Any = Email(
            address=mail_servers.AGENT,
            secret=self.secrets[0],
            smtp=Smtp(host="127.0.0.1", port=post.port, tls="none"),
            agent="crew",
            dns=mail_servers.dns,
        )

    def fails(self, down: bool) -> None:
        self.post.down = down

    def arrived(self) -> list[Arrived]:
        return [Arrived(to, mail_servers.plain(mail)) for to, mail in self.post.sent]

    def changed(self) -> list[Arrived]:
        return []

    def acting(self) -> list[str]:
        pages = "".join(mail_servers.html(mail) for _, mail in self.post.sent)
        ours = re.sub(r"</?(?:h1|p|dl|dt|dd|code|bdi|br)>", "", pages)
        found = re.findall(r"<[^\n]{0,20}|[\u202a-\u202e\u2066-\u2069\x1b]", ours)
        return found + [str(mail["Bcc"]) for _, mail in self.post.sent if mail["Bcc"]]

    def writes(self, person: str, text: str, *, at: datetime) -> Inbound:
        id = f"<{next(self._ids)}@example.com>"
        raw = mail_servers.written(text, sender=self.addresses[person], id=id)
        return self._signed(raw)

    def approves(self, person: str, *, at: datetime, of: str = "") -> Inbound:
        return self._replied(person, "yes", of)

    def answers(self, person: str, text: str, *, at: datetime) -> Inbound:
        return self._replied(person, text)

    def edited(self, person: str, changes: dict[str, Any], *, at: datetime) -> Inbound:
        raise AssertionError("it offers none")

    def forged(self, honest: Inbound) -> list[Inbound]:
        unsigned = honest.body.partition(b"\r\nFrom:")[2]
        raws = [
            b"From:" + unsigned,
            honest.body.replace(b"yes", b"Yes", 1),
            mail_servers.signed(b"From:" + unsigned, domain="evil.example"),
            b"\xff\xfe",
        ]
        return [
            Inbound(honest.body, {}),  # by HTTP, which nobody has signed
            *(self.channel.mail(raw) for raw in raws),
        ]

    def malformed(self, *, at: datetime) -> Inbound:
        return self.channel.mail(b"From: a@b, <@@>\nTo: \xff\nContent-Type: ;;\n\n\x00\xff")

    async def denies(self, app: App, person: str, why: str, *, at: datetime) -> Inbound:
        return self._replied(person, f"no, {why}")

    def _replied(self, person: str, text: str, of: str = "") -> Inbound:
        asked = self.post.to(self.addresses[of or person])
        id, sender = f"<r{next(self._ids)}@example.com>", self.addresses[person]
        return self._signed(mail_servers.answering(asked, text, sender=sender, id=id))

    def _signed(self, raw: bytes) -> Inbound:
        return self.channel.mail(mail_servers.signed(raw))


class SmsWire:
    name, timed, edits = "sms", False, False
    addresses: ClassVar = {"anna": twilio_api.ANNA, "ben": twilio_api.BEN, "carl": "+4915333333333"}
    secrets = (twilio_api.TOKEN,)

    def __init__(self, twilio: twilio_api.Twilio) -> None:
        self.twilio, self._sids = twilio, count(1)
        self.channel: Any = Sms(
            account_sid="AC1",
            auth_token=twilio_api.TOKEN,
            number="+1555",
            url=twilio_api.URL,
            agent="crew",
            api=twilio.url,
        )

    def fails(self, down: bool) -> None:
        self.twilio.down = down

    def arrived(self) -> list[Arrived]:
        return [Arrived(one["To"], one["Body"]) for one in self.twilio.sent]

    def changed(self) -> list[Arrived]:
        return []

    def acting(self) -> list[str]:
        text = "\n".join(one["Body"] for one in self.twilio.sent)
        return re.findall(r"[\u202a-\u202e\u2066-\u2069\x1b\r]", text)

    def writes(self, person: str, text: str, *, at: datetime) -> Inbound:
        return self._texted(person, text)

    def approves(self, person: str, *, at: datetime, of: str = "") -> Inbound:
        return self._texted(person, f"YES {self._code(of or person)}")

    def answers(self, person: str, text: str, *, at: datetime) -> Inbound:
        return self._texted(person, f"{self._code(person)} {text}")

    def edited(self, person: str, changes: dict[str, Any], *, at: datetime) -> Inbound:
        raise AssertionError("it offers none")

    def forged(self, honest: Inbound) -> list[Inbound]:
        return _tampered(honest, "x-twilio-signature", "A" * 28)

    def malformed(self, *, at: datetime) -> Inbound:
        return twilio_api.text("hello", sid="")

    async def denies(self, app: App, person: str, why: str, *, at: datetime) -> Inbound:
        return self._texted(person, f"NO {self._code(person)} {why}")

    def _texted(self, person: str, said: str) -> Inbound:
        return twilio_api.text(said, sender=self.addresses[person], sid=f"SM{next(self._sids)}")

    def _code(self, person: str) -> str:
        return self.twilio.code(self.addresses[person])


class WebhookWire:
    name, timed, edits = "webhook", True, True
    addresses: ClassVar = {"anna": "anna", "ben": "ben", "carl": "carl"}
    secrets = (erp.SECRET,)

    def __init__(self, system: erp.Erp) -> None:
        self.system = system
        rules = guard.Rules(
            schemes=frozenset({"http"}), ports=frozenset({system.port}), inside=("127.0.0.0/8",)
        )
        self.channel: Any = Webhook(secret=erp.SECRET, url=system.url, agent="crew", rules=rules)

    def fails(self, down: bool) -> None:
        self.system.down = down

    def arrived(self) -> list[Arrived]:
        return self._of({"contact.requested", "told"})

    def changed(self) -> list[Arrived]:
        return self._of({"contact.closed"})

    def acting(self) -> list[str]:
        assert self.system.forged == 0
        return []  # data stays data: JSON

    def writes(self, person: str, text: str, *, at: datetime) -> Inbound:
        return erp.said("message", {"text": text, "from": person}, at=at)

    def approves(self, person: str, *, at: datetime, of: str = "") -> Inbound:
        return self._decided(person, "approve", at=at, of=of)

    def answers(self, person: str, text: str, *, at: datetime) -> Inbound:
        return self._decided(person, "answer", at=at, value=text)

    def edited(self, person: str, changes: dict[str, Any], *, at: datetime) -> Inbound:
        return self._decided(person, "edit", at=at, changes=changes)

    def forged(self, honest: Inbound) -> list[Inbound]:
        return _tampered(honest, "webhook-signature", "v1,AAAA")

    def malformed(self, *, at: datetime) -> Inbound:
        return erp.signed(b'{"type": "decision", "data": []}', at=at)

    async def denies(self, app: App, person: str, why: str, *, at: datetime) -> Inbound:
        return self._decided(person, "deny", at=at, comment=why)

    def _of(self, types: set[str]) -> list[Arrived]:
        found = [body for _, body in self.system.posted if body["type"] in types]
        return [Arrived(b["data"]["to"], json.dumps(b["data"], ensure_ascii=False)) for b in found]

    def _decided(
        self, person: str, decision: str, *, at: datetime, of: str = "", **more: Any
    ) -> Inbound:
        asked = [
            body["data"]
            for _, body in self.system.posted
            if body["type"] == "contact.requested" and body["data"]["to"] == (of or person)
        ][-1]
        data = {"contact": asked["contact"], "digest": asked.get("digest"), "by": person}
        given = {name: value for name, value in data.items() if value is not None}
        return erp.said("decision", given | {"decision": decision} | more, at=at)


def _opened(system: Any, wire: Callable[[Any], Wire]) -> Callable[[], Any]:
    @contextmanager
    def opened() -> Iterator[Wire]:
        with system() as running:
            yield wire(running)

    return opened


WIRES: dict[str, Callable[[], Any]] = {
    "slack": _opened(slack_api.slack_api, SlackWire),
    "email": _opened(mail_servers.post_office, EmailWire),
    "sms": _opened(twilio_api.twilio_api, SmsWire),
    "webhook": _opened(erp.erp_system, WebhookWire),
}
