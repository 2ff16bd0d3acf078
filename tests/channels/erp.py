"""A system of one's own on loopback: it checks what is posted to it with the vendor's library, and
signs what it posts with it."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import standardwebhooks

from twelvefold.inbound import Inbound

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

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(503 if erp.down else self._taken(body))

        def _taken(self, body: bytes) -> int:
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                said = standardwebhooks.Webhook(SECRET).verify(body, headers)
            except standardwebhooks.WebhookVerificationError:
                erp.forged += 1
                return 401
            erp.posted.append((headers["webhook-id"], said))
            return 204

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    erp.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield erp
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
