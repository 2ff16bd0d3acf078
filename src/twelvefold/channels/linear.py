"""Linear's webhooks as triggers: an issue was made, or got another state."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from twelvefold.exceptions import InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.signatures import body_id, expect_fresh, expect_one, header, signed
from twelvefold.thread import DEFAULT_TENANT
from twelvefold.triggers import Meaning, Trigger, read_json, text_in

SIGNATURE = "linear-signature"
WINDOW = timedelta(minutes=1)
"""As Linear's own documentation asks for."""


class Linear(Trigger):
    """`on("Issue.create", payload)`: the type and the action. `secret`: that of the webhook."""

    def __init__(
        self,
        *,
        secret: str,
        on: Meaning,
        agent: str = "",
        name: str = "linear",
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        super().__init__(name, on=on, agent=agent, tenant=tenant)
        self._secret = secret.encode()

    def checked(self, inbound: Inbound, now: datetime) -> str:
        expected = signed(self._secret, inbound.body).hex()
        expect_one([header(inbound, SIGNATURE)], expected, header=SIGNATURE)
        at = read_json(inbound.body).get("webhookTimestamp")  # in the body, which is proven by now
        if not isinstance(at, int):
            raise InvalidRequest("A webhook of Linear has a webhookTimestamp. Nothing was done.")
        expect_fresh(str(at // 1000), now, window=WINDOW)
        return body_id(inbound)

    def event(self, inbound: Inbound, data: Mapping[str, Any]) -> str:
        type, action = text_in(data, "type"), text_in(data, "action")
        if not (type and action):
            raise InvalidRequest("A webhook of Linear has a type and an action. Nothing was done.")
        return f"{type}.{action}"

    def sender(self, data: Mapping[str, Any]) -> str:
        return text_in(data, "actor", "email") or text_in(data, "actor", "name") or self.name
