"""Where a reader of a stream is: what came, and how to come back for the rest. No I/O."""

import random
from collections.abc import Iterator, Mapping

from twelvefold.client.messages import Messages
from twelvefold.client.problems import error_of, problem_of
from twelvefold.client.records import event_of, json_of
from twelvefold.client.retrying import Retries, may_pass, told_s
from twelvefold.exceptions import TwelvefoldError, UnknownThread, Unreachable
from twelvefold.thread import Event

MEDIA_TYPE = "text/event-stream"
SILENCE_MAX_S = 45.0
"""Three heartbeats of the server: nobody is there any more."""
MS_PER_S = 1000


class Following:
    """The events after `last`, over as many connections as it takes."""

    def __init__(self, after: int, retries: Retries) -> None:
        self.last, self._retries = after, retries
        self._fruitless = 0
        self._messages = Messages()

    @property
    def headers(self) -> dict[str, str]:
        """Of the next connection."""
        last = {"Last-Event-ID": str(self.last)} if self.last else {}
        return {"Accept": MEDIA_TYPE, "Cache-Control": "no-store", **last}

    def opened(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether this is the stream. Otherwise its body says why not: `refused`."""
        self._messages = Messages()
        return status == 200 and headers.get("content-type", "").startswith(MEDIA_TYPE)

    def of(self, content: bytes) -> Iterator[Event]:
        """The events in what came. Raises `Unreachable` where one is missing."""
        self._fruitless = 0
        for message in self._messages.of(content):
            event = event_of(json_of(message.data.encode()))
            if event.seq > self.last + 1:
                raise Unreachable(
                    f"Event {event.seq} came after event {self.last}: one is missing."
                )
            if event.seq > self.last:
                self.last = event.seq
                yield event

    def refused(self, status: int, headers: Mapping[str, str], content: bytes) -> float:
        """How long to wait. Raises what cannot pass."""
        error = error_of(status, content, missing=UnknownThread)
        if not may_pass(status, problem_of(content)):
            raise error
        return self._pause_s(error, told_s(headers))

    def ended(self) -> float:
        """The server stops, or this reader was too slow: how long to wait."""
        told = None if self._messages.retry_ms is None else self._messages.retry_ms / MS_PER_S
        return self._pause_s(Unreachable("The stream ends before anything comes."), told)

    def lost(self, error: Exception) -> float:
        said = str(error) or type(error).__name__
        return self._pause_s(Unreachable(f"The stream was cut: {said}."), None)

    def _pause_s(self, error: TwelvefoldError, told: float | None) -> float:
        self._fruitless += 1
        pause_s = self._retries.pause_s(
            self._fruitless, of=self._retries.reconnects_max, told_s=told, chance=random.random()
        )
        if pause_s is None:
            raise error
        return pause_s
