"""A way in for tests: what comes in is said by its body, and signed by one header."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from twelvefold.exceptions import BadSignature, InvalidRequest
from twelvefold.inbound import Decided, Inbound, Receipt, Received, Reply, Signalled, Written
from twelvefold.thread import DEFAULT_TENANT

KINDS: dict[str, Callable[..., Received]] = {
    "written": Written,
    "decided": Decided,
    "signalled": Signalled,
}


class Letterbox:
    """For `App(channels=[Letterbox("email", agent="bot")])`, beside a `Postbox` of another name.

    `letter(...)` is an `Inbound` for it. `replied` are the receipts that it was shown.
    """

    def __init__(
        self, name: str, *, agent: str = "", tenant: str = DEFAULT_TENANT, secret: str = "secret"
    ) -> None:
        self.name, self.agent, self.tenant = name, agent, tenant
        self._secret = secret
        self.replied: list[Receipt] = []

    def letter(self, kind: str, **fields: Any) -> Inbound:
        """`kind`: written, decided or signalled; the fields are those of that record."""
        body = json.dumps({"kind": kind, **fields}).encode()
        return Inbound(body, {"x-signature": self._secret})

    def read(self, inbound: Inbound, /, *, now: datetime) -> Received:
        if inbound.headers.get("x-signature") != self._secret:
            raise BadSignature("The header x-signature is missing or another. Nothing was read.")
        try:
            fields = json.loads(inbound.body)
            return KINDS[fields.pop("kind")](**fields)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidRequest(f"The letter cannot be read: {error}. Nothing was done.") from None

    async def reply(self, received: Received, receipt: Receipt, /) -> Reply:
        self.replied.append(receipt)
        return Reply(receipt.outcome.encode())
