"""The channel: what goes out by SMTP, and what a mailbox or a mail service brings."""

import base64
import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from twelvefold.channels.email import mailbox, mailgun, postmark, sendgrid
from twelvefold.channels.email.proof import Dns, Keys, is_proven
from twelvefold.channels.email.reading import ASSURANCE, read
from twelvefold.channels.email.servers import TIMEOUT_S, Imap, Smtp, library
from twelvefold.channels.email.writing import message, message_id, origin
from twelvefold.deliveries import Delivery
from twelvefold.exceptions import BadSignature, ConfigurationError
from twelvefold.inbound import Inbound, Receipt, Receive, Received, Reply
from twelvefold.policy import Risk, Settles
from twelvefold.signatures import signed
from twelvefold.store import ContactRow
from twelvefold.thread import DEFAULT_TENANT, Json

OURS = "x-taken-by-this-process"
SECRET_BYTES_MIN = 16
TOKEN_BYTES = 16
LOCAL_CHARS_MAX = 64
"""Of what stands before the @ (RFC 5321, 4.5.3.1.1)."""


class Email:
    """An address is `anna@example.com`.

    - `address`: where mail to the agent goes; its domain delivers `agent+anything@` there, too.
    - `secret`: what tokens are made of, the same in every process.
    - `mailgun_signing_key`, `sendgrid_public_key`, `postmark_login` (`user:password`): what a mail
      service that posts to `/v1/triggers/email` proves itself with.
    - `senders`: who is listened to, `@example.com` for a domain, and then only what that domain has
      signed; None is everybody.
    - `inbox_url`: where the web inbox is, for a link to what is asked.
    - `agent`: whose threads a first mail begins; "" begins none.
    - `invites`: up to which risk a mail asks for a yes by reply; what that settles is for
      `App(settles={"email": ...})` to say.
    - `dns`: the TXT record of a name, for DKIM; without it, the system's resolver.

    Raises `ConfigurationError`.
    """

    def __init__(
        self,
        *,
        address: str,
        secret: str,
        smtp: Smtp,
        imap: Imap | None = None,
        mailgun_signing_key: str = "",
        sendgrid_public_key: str = "",
        postmark_login: str = "",
        senders: Collection[str] | None = None,
        inbox_url: str = "",
        agent: str = "",
        invites: Risk = "low",
        name: str = "email",
        tenant: str = DEFAULT_TENANT,
        dns: Dns | None = None,
    ) -> None:
        if len(secret.encode()) < SECRET_BYTES_MIN:
            raise ConfigurationError(f"secret= needs {SECRET_BYTES_MIN} bytes or more.")
        self.name, self.agent, self.tenant = name, agent, tenant
        self._address, self._secret = address, secret.encode()
        self._smtp, self._imap, self._mailgun = smtp, imap, mailgun_signing_key
        self._sendgrid = sendgrid.checked_key(sendgrid_public_key)
        self._postmark = _checked_login(postmark_login)
        self._senders, self._inbox_url = senders, inbox_url.rstrip("/")
        self._keys, self._taken = Keys(dns), secrets.token_hex()
        self._upto = Settles({ASSURANCE: invites})

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        """The message id, the same for each try. Raises what the library for SMTP raises."""
        to, began = delivery.recipient.to, self._began(delivery)
        if delivery.notice and not (delivery.recipient.person or delivery.began_with_asked):
            return {"with": "those who are asked"}  # a customer sees nothing of what staff decide
        delivery = replace(delivery, began=began)
        if delivery.recipient.person and to.casefold() == origin(began).casefold():
            return {"with": "the conversation"}  # who began it gets one mail, and not two
        to = to if delivery.recipient.person else origin(began) or to
        mail = message(
            delivery,
            sender=self._address,
            to=to,
            reply_to=self._reply_to(delivery, to),
            invites=self._invites(delivery),
            link=self._link(delivery),
            now=datetime.now(UTC),
        )
        await library("aiosmtplib").send(
            mail,
            sender=self._address,
            recipients=[to],
            hostname=self._smtp.host,
            port=self._smtp.port,
            username=self._smtp.user or None,
            password=self._smtp.password or None,
            use_tls=self._smtp.tls == "tls",
            start_tls=self._smtp.tls == "starttls",
            timeout=TIMEOUT_S,
        )
        return {"message_id": message_id(delivery.key, self._address)}

    def code_of(self, row: ContactRow, address: str) -> str:
        """For this person and exactly what is asked now."""
        return self._token(f"{row.ref.id}.{row.id}", row.data.get("digest"), address)

    def mail(self, raw: bytes) -> Inbound:
        """A mail as it came, for `app.receive`, where code of yours fetches it."""
        return Inbound(raw, {OURS: self._taken})

    @property
    def listens(self) -> bool:
        """Whether there is a mailbox."""
        return self._imap is not None

    async def listen(self, receive: Receive, /) -> None:
        """Give what comes into the mailbox to `app.receive`, until it is cancelled. A mail is
        marked as seen when it is durable. Raises `ConfigurationError`."""
        if self._imap is None:
            raise ConfigurationError(f"{self.name} has no mailbox to listen to. Give it imap=.")
        for needed in ("imap_tools", "dkim", "nacl", "mailparser_reply"):
            library(needed)

        async def take(raw: bytes) -> None:
            await mailbox.apart(self._look_up, raw)
            await receive(self.name, self.mail(raw))

        await mailbox.listen(self._imap, take, name=self.name)

    def read(self, inbound: Inbound, /, *, now: datetime) -> Received:
        """Raises `BadSignature` and `InvalidRequest`."""
        return read(
            self._raw(inbound, now),
            address=self._address,
            senders=self._senders,
            proof=self._proof,
        )

    async def reply(self, received: Received, receipt: Receipt, /) -> Reply:
        """Nothing: who wrote a mail does not wait for an answer of this request."""
        return Reply()

    def _raw(self, inbound: Inbound, now: datetime) -> bytes:
        taken = inbound.headers.get(OURS, "")
        if hmac.compare_digest(taken.encode(), self._taken.encode()):
            return inbound.body
        if self._sendgrid and sendgrid.SIGNATURE in inbound.headers:
            return sendgrid.raw_mail(inbound, self._sendgrid, now=now)
        if self._postmark and postmark.HEADER in inbound.headers:
            return postmark.raw_mail(inbound, self._postmark)
        if self._mailgun:
            return mailgun.raw_mail(inbound, self._mailgun, now=now)
        raise BadSignature(
            "No mail is taken by HTTP without mailgun_signing_key=, sendgrid_public_key= or"
            " postmark_login=, and what each of these services proves itself with."
        )

    def _look_up(self, raw: bytes) -> None:
        """The keys in DNS, beside the event loop; `read` then finds them."""
        read(raw, address=self._address, senders=None, proof=self._proof)

    def _proof(self, raw: bytes, domain: str) -> bool:
        return is_proven(raw, domain, self._keys)

    def _began(self, delivery: Delivery) -> Mapping[str, Json]:
        """Nothing, where the thread began on another channel."""
        return delivery.began if delivery.began.get("channel") == self.name else {}

    def _invites(self, delivery: Delivery) -> bool:
        return self._upto.allows(ASSURANCE, cast(Risk, delivery.request.get("risk", "low")))

    def _reply_to(self, delivery: Delivery, to: str) -> str:
        """With a token, where an answer by mail could count."""
        if delivery.notice is None:
            return self._address
        contact = f"{delivery.ref.id}.{delivery.about}"
        local, _, domain = self._address.rpartition("@")
        named = f"{local}+{self._token(contact, delivery.request.get('digest'), to)}"
        return f"{named}@{domain}" if len(named) <= LOCAL_CHARS_MAX else self._address

    def _token(self, contact: str, digest: Json, address: str) -> str:
        bound = f"{self.tenant}\n{contact}\n{digest}\n{address.casefold()}".encode()
        made = signed(self._secret, bound)[:TOKEN_BYTES]
        return base64.b32encode(made).decode().rstrip("=").lower()

    def _link(self, delivery: Delivery) -> str:
        contact = f"{delivery.ref.id}.{delivery.about}"
        return f"{self._inbox_url}/contacts/{contact}" if self._inbox_url else ""


def _checked_login(login: str) -> str:
    user, _, password = login.partition(":")
    if login and not (user and len(password.encode()) >= SECRET_BYTES_MIN):
        raise ConfigurationError(
            f"postmark_login= is user:password, with {SECRET_BYTES_MIN} bytes of password or more."
        )
    return login
