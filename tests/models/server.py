"""Vendors on the loopback interface: what they reply, in the shapes of their APIs.

The real SDKs talk to `Vendor`, which keeps every request and answers with the next of its replies,
the last of them again and again.
"""

import json
import threading
from collections.abc import Sequence
from typing import Any

from strict.loopback import Loopback, Reply, Request

JSON_TYPE = {"content-type": "application/json"}
EVENTS_TYPE = {"content-type": "text/event-stream"}


class Vendor:
    """A server that gives these replies in turn. `requests`: what came; `bodies`: as JSON;
    `asked`: that one came."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Request] = []
        self.asked = threading.Event()
        self._server = Loopback(self._answer)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests]

    def will(self, *replies: Reply) -> None:
        """Give these from now on, and forget what came before."""
        self.replies = list(replies)
        self.requests.clear()

    def close(self) -> None:
        self._server.close()

    def _answer(self, request: Request) -> Reply:
        self.requests.append(request)
        self.asked.set()
        return self.replies[min(len(self.requests), len(self.replies)) - 1]


def replied(data: Any, *, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, (json.dumps(data).encode(),), {**JSON_TYPE, **named})


def streamed(*chunks: str, cut_after: int | None = None, pause_s: float = 0.0) -> Reply:
    encoded = tuple(chunk.encode() for chunk in chunks)
    return Reply(200, encoded, EVENTS_TYPE, cut_after=cut_after, pause_s=pause_s)


def failed(status: int, said: str = "no", **headers: str) -> Reply:
    """An error in a shape that all three vendors' SDKs read."""
    error = {"message": said, "type": "an_error", "code": None, "status": "AN_ERROR"}
    return replied({"type": "error", "error": error}, status=status, **headers)


def silent() -> Reply:
    """A reply whose end does not come in the time of any test."""
    return Reply(200, (b"{", b"}"), JSON_TYPE, pause_s=3600)


def halves(text: str) -> Sequence[str]:
    middle = len(text) // 2
    return text[:middle], text[middle:]
