"""Stripe's events as triggers: a dispute was opened, a payment failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.signatures import body_id, expect_fresh, expect_one, header, signed
from twelvefold.thread import DEFAULT_TENANT
from twelvefold.triggers import Meaning, Trigger, text_in

SIGNATURE = "stripe-signature"
SCHEME = "v1"


class Stripe(Trigger):
    """`on("charge.dispute.created", event)`. `secret`: `whsec_...` of the endpoint."""

    def __init__(
        self,
        *,
        secret: str,
        on: Meaning,
        agent: str = "",
        name: str = "stripe",
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        super().__init__(name, on=on, agent=agent, tenant=tenant)
        self._secret = secret.encode()

    def checked(self, inbound: Inbound, now: datetime) -> str:
        parts = [part.strip().partition("=") for part in header(inbound, SIGNATURE).split(",")]
        at = next((value for name, _, value in parts if name == "t"), None)
        if at is None:
            raise BadSignature(f"The header {SIGNATURE} has no time. Nothing was read.")
        given = [value for name, _, value in parts if name == SCHEME]
        expected = signed(self._secret, at.encode() + b"." + inbound.body).hex()
        expect_one(given, expected, header=SIGNATURE)
        expect_fresh(at, now)
        return body_id(inbound)

    def event(self, inbound: Inbound, data: Mapping[str, Any]) -> str:
        event = text_in(data, "type")
        if not event:
            raise InvalidRequest("An event of Stripe has a type. Nothing was done.")
        return event
