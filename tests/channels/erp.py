"""A system of one's own on loopback: it checks what is posted to it with the vendor's library, and
signs what it posts with it."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import standardwebhooks

from twelvefold.inbound import Inbound
from web_thread import Answering, web_thread

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes here").decode()
_IDS = count(1)


@dataclass
class Erp:
    """`posted` are (delivery id, body) that were signed well; `forged` counts the others. While it
    is `down`, each request is an HTTP 503."""

    port: int = 0
    down: bool = False
    forged: int = 0
    posted: list[tuple[str, dict[str, Any]]] = field(
        default_factory=list[tuple[str, dict[str, Any]]]
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/agents"


@contextmanager
def erp_system() -> Iterator[Erp]:
    erp = Erp()

    class Answers(Answering):
        def do_POST(self) -> None:
            self.say(503 if erp.down else self._taken(self.body()))

        def _taken(self, body: bytes) -> int:
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                said = standardwebhooks.Webhook(SECRET).verify(body, headers)
            except standardwebhooks.WebhookVerificationError:
                erp.forged += 1
                return 401
            erp.posted.append((headers["webhook-id"], said))
            return 204

    with web_thread(Answers) as port:
        erp.port = port
        yield erp


def signed(body: bytes, *, at: datetime, id: str = "") -> Inbound:
    """As the vendor's own library signs."""
    id = id or f"msg_{next(_IDS)}"
    signature = standardwebhooks.Webhook(SECRET).sign(id, at, body.decode())
    stamp = str(int(at.timestamp()))
    return Inbound(
        body, {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}
    )


def said(kind: str, data: dict[str, Any], *, at: datetime) -> Inbound:
    return signed(json.dumps({"type": kind, "data": data}).encode(), at=at)
