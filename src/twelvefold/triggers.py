"""What happens elsewhere and begins or reaches a thread: the frame of signed triggers. Pure.

A vendor's file checks the signature and names the event; what it means for an agent is a function
of the user's. A trigger answers no contact: it proves a system, and no person.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from twelvefold.exceptions import InvalidRequest
from twelvefold.inbound import Ignored, Inbound, Receipt, Received, Reply, Signalled, Written
from twelvefold.thread import DEFAULT_TENANT, Json


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What an agent is to read of an event. One `conversation` is one thread; without it each
    delivery begins its own."""

    text: str
    conversation: str = ""
    about: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Signal:
    """What `WaitFor(step, name)` of a thread waits for."""

    thread_id: str
    name: str
    data: Json = None


Meaning = Callable[[str, Mapping[str, Any]], Occurrence | Signal | None]
"""From the name of an event and its data; None is nothing for an agent."""


class Trigger(ABC):
    """A `Receiver`. `on` says what an event means; `agent`, whose threads it begins."""

    def __init__(
        self, name: str, *, on: Meaning, agent: str = "", tenant: str = DEFAULT_TENANT
    ) -> None:
        self.name, self.agent, self.tenant, self._on = name, agent, tenant, on

    def read(self, inbound: Inbound, /, *, now: datetime) -> Received:
        """Raises `BadSignature` and `InvalidRequest`."""
        key = self.checked(inbound, now)
        data = self.data(inbound)
        event = self.event(inbound, data)
        found = self._meant(event, data)
        match found:
            case None:
                return Ignored(f"{event} means nothing to this application")
            case Signal():
                return Signalled(
                    key=key, thread_id=found.thread_id, signal=found.name, data=found.data
                )
            case Occurrence():
                return Written(
                    key=key,
                    text=found.text,
                    sender=self.sender(data),
                    conversation=found.conversation or key,
                    answers=False,
                    about={"event": event, **found.about},
                )

    async def reply(self, received: Received, receipt: Receipt, /) -> Reply:
        """What became of it, for the vendor's list of deliveries."""
        said = f"{receipt.outcome} {receipt.thread_id or receipt.said}".rstrip()
        return Reply(said.encode())

    @abstractmethod
    def checked(self, inbound: Inbound, now: datetime) -> str:
        """The delivery id. Raises `BadSignature`; nothing is parsed before."""
        ...

    def data(self, inbound: Inbound) -> Mapping[str, Any]:
        """What the signed body holds. Raises `InvalidRequest`."""
        return read_json(inbound.body)

    @abstractmethod
    def event(self, inbound: Inbound, data: Mapping[str, Any]) -> str:
        """What has happened, in the vendor's words. Raises `InvalidRequest`."""
        ...

    def sender(self, data: Mapping[str, Any]) -> str:
        """Who did it, as far as the vendor says."""
        return self.name

    def _meant(self, event: str, data: Mapping[str, Any]) -> Occurrence | Signal | None:
        try:
            return self._on(event, data)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InvalidRequest(
                f"on= of {self.name} could not read {event}: {type(error).__name__}: {error}."
                " Nothing was done."
            ) from error


def read_json(body: bytes) -> Mapping[str, Any]:
    """A signed body as its JSON object. Raises `InvalidRequest`."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The body is no JSON: {error}. Nothing was done.") from None
    if not isinstance(data, dict):
        raise InvalidRequest("The body is JSON, but no object. Nothing was done.")
    return cast("dict[str, Any]", data)


def text_in(data: Mapping[str, Any], *path: str) -> str:
    """The text at a path, or ""."""
    found: Any = data
    for name in path:
        found = cast("dict[str, Any]", found).get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
