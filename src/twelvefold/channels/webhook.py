"""A system of yours, both ways: requests signed as Standard Webhooks say.

Out: what is asked, told and ended is posted to it. In: messages, decisions and signals. The secret
proves that system; which person decided is what it says, so give it a secret of its own.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from twelvefold import guard
from twelvefold.deliveries import Delivery
from twelvefold.exceptions import ConfigurationError, InvalidRequest, Unreachable
from twelvefold.inbound import Decided, Inbound, Receipt, Received, Reply, Signalled, Written
from twelvefold.signatures import ID, SIGNATURE, TIME, expect_standard, secret_bytes, standard
from twelvefold.thread import DEFAULT_TENANT, Json, to_iso, to_text
from twelvefold.triggers import read_json

ASSURANCE = "webhook"
OUTCOMES_REFUSED = frozenset({"refused"})
DECISION_FIELDS = frozenset({"contact", "decision", "by", "comment", "value", "changes", "digest"})
MESSAGE_FIELDS = frozenset({"text", "conversation", "from", "contact", "about"})
SIGNAL_FIELDS = frozenset({"thread", "signal", "data"})


class Webhook:
    """`url`: where deliveries go when a recipient's address is none of its own.

    `secret`: `whsec_<base64>`, for both directions. `rules`: which URLs may be reached; public
    https by default. Raises `ConfigurationError`.
    """

    updates = True

    def __init__(
        self,
        *,
        secret: str,
        url: str = "",
        agent: str = "",
        name: str = "webhook",
        tenant: str = DEFAULT_TENANT,
        rules: guard.Rules = guard.PUBLIC,
    ) -> None:
        secret_bytes(secret)
        if url:
            guard.read_url(url, rules)
        self.name, self.agent, self.tenant = name, agent, tenant
        self._secret, self._url, self._rules = secret, url, rules

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        """Raises `UrlRefused`, and `Unreachable` for anything but a 2xx."""
        to = delivery.recipient.to
        url = to if "://" in to else self._url
        if not url:
            raise ConfigurationError(f"{self.name} has no url=, and {to!r} is none.")
        id = "msg_" + hashlib.sha256(delivery.key.encode()).hexdigest()[:32]
        at = str(int(datetime.now(UTC).timestamp()))  # of this request: a try later is another one
        body = to_text(_body(delivery)).encode()
        headers = {ID: id, TIME: at, SIGNATURE: standard(self._secret, id, at, body)}
        headers["content-type"] = "application/json"
        reply = await guard.send("POST", url, content=body, headers=headers, rules=self._rules)
        if not 200 <= reply.status < 300:
            raise Unreachable(f"{self.name} answered {reply.status}. It is sent again.")
        return {"id": id}

    def read(self, inbound: Inbound, /, *, now: datetime) -> Received:
        """Raises `BadSignature` and `InvalidRequest`."""
        key = expect_standard(inbound, self._secret, now=now)
        body = read_json(inbound.body)
        kind, data = body.get("type"), body.get("data")
        if not isinstance(data, dict):
            raise InvalidRequest("The body is {type, data}, and data an object. Nothing was done.")
        given = cast("dict[str, Any]", data)
        match kind:
            case "message":
                return self._message(key, _only(given, MESSAGE_FIELDS))
            case "decision":
                return _decision(_only(given, DECISION_FIELDS))
            case "signal":
                one = _only(given, SIGNAL_FIELDS)
                thread, signal = _text(one, "thread"), _text(one, "signal")
                return Signalled(key=key, thread_id=thread, signal=signal, data=one.get("data"))
            case _:
                raise InvalidRequest("type is message, decision or signal. Nothing was done.")

    async def reply(self, received: Received, receipt: Receipt, /) -> Reply:
        """What became of it, as JSON. A refusal is 409, so that the system sees it."""
        said = {"outcome": receipt.outcome, "thread": receipt.thread_id, "said": receipt.said}
        status = 409 if receipt.outcome in OUTCOMES_REFUSED else 200
        return Reply(to_text(said).encode(), "application/json", status)

    def _message(self, key: str, data: Mapping[str, Any]) -> Written:
        about = data.get("about", {})
        if not isinstance(about, dict):
            raise InvalidRequest("about is an object. Nothing was done.")
        return Written(
            key=key,
            text=_text(data, "text"),
            sender=_text(data, "from", default=self.name),
            conversation=_text(data, "conversation", default=key),
            contact=_text(data, "contact", default="") or None,
            assurance=ASSURANCE,
            about=cast("dict[str, Json]", about),
        )


def _decision(data: Mapping[str, Any]) -> Decided:
    changes = data.get("changes")
    if changes is not None and not isinstance(changes, dict):
        raise InvalidRequest("changes is an object. Nothing was done.")
    return Decided(
        contact=_text(data, "contact"),
        decision=_text(data, "decision"),
        sender=_text(data, "by"),
        assurance=ASSURANCE,
        comment=_text(data, "comment", default="") or None,
        value=data.get("value"),
        changes=cast("dict[str, Json] | None", changes),
        digest=_text(data, "digest", default="") or None,
    )


def _only(data: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    if unknown := set(data) - known:
        raise InvalidRequest(
            f"data has {', '.join(sorted(unknown))}, and may have {', '.join(sorted(known))}."
            " Nothing was done."
        )
    return data


def _text(data: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    found = data.get(name, default)
    if not isinstance(found, str) or (default is None and not found):
        raise InvalidRequest(f"data.{name} is a text that is not empty. Nothing was done.")
    return found


def _body(delivery: Delivery) -> dict[str, Json]:
    """What is posted. `data.contact` is the full id that a decision names; `data.to` is who gets
    this, and `data.asked` who may decide."""
    about = f"{delivery.ref.id}.{delivery.about}"
    data: dict[str, Json] = {
        "thread": delivery.ref.id,
        "tenant": delivery.ref.tenant,
        "to": delivery.recipient.to,
        "person": delivery.recipient.person,
    }
    closing = delivery.closing
    if closing is not None:
        data |= {"contact": about, "outcome": closing.outcome, "by": closing.by}
        data |= {"at": to_iso(closing.at), "comment": closing.comment}
        data |= {"sent": dict(closing.said)}
        return {"type": "contact.closed", "data": data}
    if delivery.notice is None:
        return {"type": "told", "data": data | {"text": delivery.text}}
    asked = dict(delivery.request) | {"asked": delivery.request.get("to")}
    return {"type": "contact.requested", "data": asked | data | {"contact": about}}
