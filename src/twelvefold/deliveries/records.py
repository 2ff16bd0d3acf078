"""One message for one recipient, and the channel that takes it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, cast

from twelvefold.exceptions import ConfigurationError
from twelvefold.notices import Notice
from twelvefold.store import Ref
from twelvefold.thread import Json

SENDS_MAX = 16
"""Tries to reach one recipient, within seven hours; then the message is dead, which `doctor` and
`inbox` say."""
PAUSE_FIRST = timedelta(seconds=10)
PAUSE_MAX = timedelta(hours=1)
"""Pauses double from the first to the second."""
RECIPIENTS_MAX = 50


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a message goes. `person` is "" for the conversation in which the thread began; without
    a `channel` nothing reaches that person."""

    channel: str
    to: str
    person: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a contact ended, for the message that asked: `said` is what its channel said of it."""

    outcome: str
    by: str
    at: datetime
    channel: str
    comment: str
    said: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one recipient. `about` is a contact, or the step that told something.

    `key` is the same each time this message is tried: a channel that can should send it once.
    `notice` is what is asked, None of a text that is only told. With `closing` nothing new is to be
    sent: the message that asked is to be changed. `request` is the data of `contact_requested`,
    with its digest; `began` is that of the message with which the thread began. `asked` are those
    who may decide: where a conversation is with one person, nobody else is shown what is asked.
    """

    ref: Ref
    about: str
    recipient: Recipient
    key: str
    text: str = ""
    notice: Notice | None = None
    round: int = 0
    tried: int = 0
    due: datetime | None = None
    closing: Closing | None = None
    request: Mapping[str, Json] = field(default_factory=dict[str, Json])
    began: Mapping[str, Json] = field(default_factory=dict[str, Json])
    asked: Collection[str] = ()

    @property
    def began_with_asked(self) -> bool:
        """Whether the thread began with a message of somebody who may decide this."""
        return self.began.get("from") in self.asked


class Channel(Protocol):
    """A way to people. `send` returns what names the message there, for later changes of it. A
    channel with `updates = True` is also given the end of each contact that it sent."""

    @property
    def name(self) -> str: ...

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        """Whatever it raises is recorded, and the message is tried again."""
        ...


def checked(channels: Collection[object]) -> Mapping[str, Channel]:
    """Those that send, by name. Raises `ConfigurationError` for two of one name."""
    named = {cast(Channel, channel).name: channel for channel in channels}
    if len(named) < len(channels):
        raise ConfigurationError("Two channels have one name. Give each its own.")
    return {name: cast(Channel, one) for name, one in named.items() if hasattr(one, "send")}
