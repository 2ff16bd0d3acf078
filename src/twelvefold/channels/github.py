"""GitHub's webhooks as triggers: a pull request was merged, a check failed.

The header that carries the delivery id is not signed, and no time is: so the delivery id is the
hash of the body. The same event replayed under another id changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from twelvefold.exceptions import InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.signatures import body_id, expect_one, header, signed
from twelvefold.thread import DEFAULT_TENANT
from twelvefold.triggers import Meaning, Trigger, text_in

SIGNATURE, EVENT = "x-hub-signature-256", "x-github-event"


class GitHub(Trigger):
    """`on("pull_request.closed", payload)`: the event and, where there is one, its action.

    `secret`: that of the webhook in the repository's settings, whose content type is JSON.
    """

    def __init__(
        self,
        *,
        secret: str,
        on: Meaning,
        agent: str = "",
        name: str = "github",
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        super().__init__(name, on=on, agent=agent, tenant=tenant)
        self._secret = secret.encode()

    def checked(self, inbound: Inbound, now: datetime) -> str:
        expected = "sha256=" + signed(self._secret, inbound.body).hex()
        expect_one([header(inbound, SIGNATURE)], expected, header=SIGNATURE)
        return body_id(inbound)

    def event(self, inbound: Inbound, data: Mapping[str, Any]) -> str:
        event = inbound.headers.get(EVENT)
        if not event:
            raise InvalidRequest(f"The header {EVENT} is missing. Nothing was done.")
        action = text_in(data, "action")
        return f"{event}.{action}" if action else event

    def sender(self, data: Mapping[str, Any]) -> str:
        return text_in(data, "sender", "login") or self.name
