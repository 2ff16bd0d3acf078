"""SMS by Twilio: "YES 4821" approves what the message with this code has shown, in full.

Twilio signs the URL and the sorted fields of the form, so the form is taken apart before its
signature can be checked; nothing else is. It signs no time: its message id makes a replay nothing.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from twelvefold.deliveries import Delivery
from twelvefold.exceptions import BadSignature, ConfigurationError, InvalidRequest, Unreachable
from twelvefold.inbound import Coded, Decided, Ignored, Inbound, Receipt, Received, Reply, Written
from twelvefold.notices import as_lines, visible
from twelvefold.replying import NO, YES
from twelvefold.signatures import expect_one, header
from twelvefold.store import ContactRow
from twelvefold.thread import DEFAULT_TENANT, Json

ASSURANCE = "sms"
SIGNATURE = "x-twilio-signature"
API = "https://api.twilio.com"
TEXT_CHARS_MAX = 1500
"""Twilio takes 1600; the rest is for what to reply."""
FIELDS_MAX = 100
TIMEOUT_S = 10.0
CODES = 10_000

_ANSWER = re.compile(
    r"\s*(?:(?P<word>[^\W\d]+)[\s,]+)?(?P<code>\d{4})\b[\s:,.!-]*(?P<rest>.*)", re.DOTALL
)


class Sms:
    """An address is a number, `+4915112345678`.

    - `url`: how Twilio calls `/v1/triggers/sms`, exactly as its console has it: it is signed.
    - `agent`: whose threads a message without a code begins; "" begins none.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        number: str,
        url: str,
        agent: str = "",
        name: str = "sms",
        tenant: str = DEFAULT_TENANT,
        api: str = API,
    ) -> None:
        self.name, self.agent, self.tenant = name, agent, tenant
        self._sid, self._token, self._number = account_sid, auth_token, number
        self._url, self._api = url, api

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        """The sid of the message. Raises `Unreachable` for what Twilio does not take."""
        if delivery.notice and not (delivery.recipient.person or delivery.began_with_asked):
            return {"with": "those who are asked"}  # nor can who wrote decide it
        to = delivery.recipient.to
        form = {"To": to, "From": self._number, "Body": self._text(delivery)}
        url = f"{self._api}/2010-04-01/Accounts/{self._sid}/Messages.json"
        async with _httpx().AsyncClient(timeout=TIMEOUT_S) as client:
            answer = await client.post(url, data=form, auth=(self._sid, self._token))
        if answer.status_code != 201:
            said = visible(answer.text[:200])
            raise Unreachable(f"Twilio answered {answer.status_code}: {said}. It is sent again.")
        return {"sid": str(answer.json()["sid"])}

    def code_of(self, row: ContactRow, number: str) -> str:
        """Four digits for this person and exactly what is asked now."""
        return self._code(f"{row.ref.id}.{row.id}", row.data.get("digest"), number)

    def read(self, inbound: Inbound, /, *, now: datetime) -> Received:
        """Raises `BadSignature` and `InvalidRequest`."""
        given = header(inbound, SIGNATURE)
        form = _form(inbound.body)
        expect_one([given], signature(self._token, self._url, form), header=SIGNATURE)
        sid, sender, text = (form.get(name, "") for name in ("MessageSid", "From", "Body"))
        if not (sid and sender):
            raise InvalidRequest("A message has a MessageSid and From. Nothing was done.")
        if form.get("OptOutType"):
            return Ignored(f"{form['OptOutType']}: Twilio itself stops or starts messages")
        answer = _ANSWER.fullmatch(text)
        coded = None if answer is None else _coded(answer, sid, sender)
        return coded or Written(
            key=sid,
            text=text,
            sender=sender,
            conversation=sender,
            assurance=ASSURANCE,
            answers=False,  # of several questions nobody could tell which one is meant
        )

    async def reply(self, received: Received, receipt: Receipt, /) -> Reply:
        """A refused answer is answered by a message; all else by none."""
        refused = isinstance(received, Coded | Decided) and receipt.outcome == "refused"
        said = f"<Message>{_xml(receipt.said[:TEXT_CHARS_MAX])}</Message>" if refused else ""
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>'
        return Reply(body.encode(), "text/xml")

    def _text(self, delivery: Delivery) -> str:
        notice = delivery.notice
        if notice is None:
            return "\n".join(map(visible, delivery.text.splitlines()))[:TEXT_CHARS_MAX]
        shown = "\n".join(as_lines(notice, now=datetime.now(UTC)))
        if len(shown) > TEXT_CHARS_MAX:
            return f"{visible(notice.agent)} asks more than fits here. Decide in the inbox."
        contact = f"{delivery.ref.id}.{delivery.about}"
        code = self._code(contact, delivery.request.get("digest"), delivery.recipient.to)
        return f"{shown}\n{_how(str(delivery.request.get('kind')), code)}"

    def _code(self, contact: str, digest: Json, number: str) -> str:
        bound = f"{contact}\n{digest}\n{number}".encode()
        made = hmac.new(self._token.encode(), bound, hashlib.sha256).digest()
        return f"{int.from_bytes(made[:8], 'big') % CODES:04}"


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """As https://www.twilio.com/docs/usage/webhooks/webhooks-security describes it."""
    message = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(
        hmac.new(token.encode(), message.encode(), hashlib.sha1).digest()
    ).decode()


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:
        raise BadSignature("This is no form that Twilio signs. Nothing was done.") from error
    return dict(pairs)


def _coded(answer: "re.Match[str]", sid: str, sender: str) -> Coded | None:
    word, rest = (answer["word"] or "").casefold(), answer["rest"].strip()
    given: dict[str, Any] = {
        "key": sid,
        "code": answer["code"],
        "sender": sender,
        "assurance": ASSURANCE,
    }
    if word in YES and not rest:
        return Coded(decision="approve", **given)
    if word in NO:
        return Coded(decision="deny", comment=rest or None, **given)
    return Coded(decision="answer", value=rest, **given) if not word and rest else None


def _how(kind: str, code: str) -> str:
    match kind:
        case "approval":
            return f"Reply YES {code}, or NO {code} and why."
        case "question":
            return f"Reply {code} and your answer."
        case _:
            return "Decide in the inbox."


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _httpx() -> Any:
    try:
        import httpx
    except ModuleNotFoundError as error:
        raise ConfigurationError("SMS needs httpx. Run: pip install 'twelvefold[sms]'") from error
    return httpx
