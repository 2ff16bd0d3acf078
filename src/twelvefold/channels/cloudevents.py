"""CloudEvents 1.0 over HTTP as triggers, in structured and in binary mode (cloudevents.io).

The specification names no signature, so the one of Standard Webhooks is asked for. It does not
cover the headers: in binary mode, where they hold the attributes, that is what a proxy in between
could change, and only the data is proven.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from twelvefold.exceptions import ConfigurationError, InvalidRequest
from twelvefold.inbound import Inbound
from twelvefold.signatures import body_id, expect_standard, secret_bytes
from twelvefold.thread import DEFAULT_TENANT
from twelvefold.triggers import Meaning, Trigger, read_json, text_in

STRUCTURED = "application/cloudevents+json"
REQUIRED = ("id", "source", "type")
VERSION = "1.0"


class CloudEvents(Trigger):
    """`on("com.example.order.paid", event)`: the type, and all attributes with `data`.

    `secret`: `whsec_<base64>`. `unsigned=True` is for development: whoever reaches the server then
    begins threads. Raises `ConfigurationError` for neither, and for both.
    """

    def __init__(
        self,
        *,
        secret: str = "",
        on: Meaning,
        agent: str = "",
        name: str = "cloudevents",
        tenant: str = DEFAULT_TENANT,
        unsigned: bool = False,
    ) -> None:
        super().__init__(name, on=on, agent=agent, tenant=tenant)
        if bool(secret) == unsigned:
            raise ConfigurationError(
                "CloudEvents takes secret=, or unsigned=True for development, and not both."
            )
        self._secret = secret
        if secret:
            secret_bytes(secret)

    def checked(self, inbound: Inbound, now: datetime) -> str:
        return expect_standard(inbound, self._secret, now=now) if self._secret else body_id(inbound)

    def data(self, inbound: Inbound) -> Mapping[str, Any]:
        media = inbound.headers.get("content-type", "").partition(";")[0].strip().lower()
        event = read_json(inbound.body) if media == STRUCTURED else _binary(inbound, media)
        missing = [name for name in REQUIRED if not text_in(event, name)]
        if missing or event.get("specversion") != VERSION:
            raise InvalidRequest(
                f"A CloudEvent has specversion {VERSION}, and {', '.join(REQUIRED)}. Nothing was"
                " done."
            )
        return event

    def event(self, inbound: Inbound, data: Mapping[str, Any]) -> str:
        return text_in(data, "type")

    def sender(self, data: Mapping[str, Any]) -> str:
        return text_in(data, "source")


def _binary(inbound: Inbound, media: str) -> dict[str, Any]:
    prefix = "ce-"
    found: dict[str, Any] = {
        name.removeprefix(prefix): unquote(value)
        for name, value in inbound.headers.items()
        if name.startswith(prefix)
    }
    return found | {"datacontenttype": media, "data": _content(inbound.body, media)}


def _content(body: bytes, media: str) -> Any:
    if media == "application/json" or media.endswith("+json"):
        try:
            return json.loads(body) if body else None
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"The data is no JSON: {error}. Nothing was done.") from None
    return body.decode(errors="replace")
