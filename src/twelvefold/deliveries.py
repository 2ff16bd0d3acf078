"""What is to be sent to people, and what became of it. Pure.

The log is the outbox: what has to go out is an open contact, or a text that was told, without a
`contact_sent` for somebody it is for. A timer in the transaction that asked wakes whoever sends, so
a crash delays a message and never loses the question. What a channel gets may come twice, under one
key.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

from twelvefold.directory import Directory
from twelvefold.exceptions import ConfigurationError
from twelvefold.notices import Notice, notice_of
from twelvefold.policy import Policy
from twelvefold.reducer import read
from twelvefold.store import ContactRow, Ref, Timer
from twelvefold.thread import Draft, Event, Json, Thread

SENDS_MAX = 8
"""Tries to reach one recipient; then the message is dead, which `doctor` and `inbox` say."""
PAUSE_FIRST = timedelta(seconds=10)
PAUSE_MAX = timedelta(hours=1)
"""Pauses double from the first to the second."""
RECIPIENTS_MAX = 50

_ASK = frozenset({"contact_requested", "contact_escalated", "contact_reassigned"})
_TIMER = "send:"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a message goes. `person` is "" for the conversation in which the thread began; without
    a `channel` nothing reaches that person."""

    channel: str
    to: str
    person: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one recipient. `about` is a contact, or the step that told something.

    `key` is the same each time this message is tried: a channel that can should send it once.
    `notice` is what is asked, None of a text that is only told.
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


class Channel(Protocol):
    """A way to people. `send` returns what names the message there, for later changes of it."""

    @property
    def name(self) -> str: ...

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        """Whatever it raises is recorded, and the message is tried again."""
        ...


def checked(channels: Collection[Channel]) -> Mapping[str, Channel]:
    """Channels by name. Raises `ConfigurationError` for two of one name."""
    named = {channel.name: channel for channel in channels}
    if len(named) < len(channels):
        raise ConfigurationError("Two channels have one name. Give each its own.")
    return named


def timers_of(drafts: Sequence[Draft], *, now: datetime) -> list[Timer]:
    """What wakes whoever sends, for what these drafts ask or tell."""
    about = [draft.data["contact"] for draft in drafts if draft.type in _ASK]
    about += [d.data["contact"] for d in drafts if d.type == "contact_reminded"]
    about += [d.data["step"] for d in drafts if d.type == "step_settled" and "told" in d.data]
    return [Timer(_TIMER + one, now) for one in dict.fromkeys(about)]


def timer_of(about: str) -> str:
    return _TIMER + about


def about_of(timer: str) -> str | None:
    """What a timer asks to be sent; None for another kind of timer."""
    return timer.removeprefix(_TIMER) if timer.startswith(_TIMER) else None


def pending(
    thread: Thread, about: str, channels: Collection[str], directory: Directory
) -> list[Delivery]:
    """What has still to reach somebody, whenever it is due. Nothing, once a contact is closed."""
    contact = read(thread).open_contacts.get(about)
    if contact is not None:
        ref = Ref(thread.tenant, thread.id)
        row = ContactRow(ref, thread.agent, about, contact.asked_at, contact.data)
        people, text, notice = contact.policy, contact.question, notice_of(row, thread)
        since = contact.seq
    elif (event := _told(thread, about)) is not None:
        told = cast("dict[str, Json]", event.data["told"])
        to = told.get("to")
        people = None if to is None else Policy.from_data(to)
        text, notice, since = str(told["text"]), None, event.seq
    else:
        return []
    found = recipients(thread, people, channels, directory)
    tries = _Tries(thread, about, since=since)
    return [
        Delivery(
            ref=Ref(thread.tenant, thread.id),
            about=about,
            recipient=one,
            key=f"{thread.tenant}/{thread.id}/{about}/{one.channel}/{one.to}/{tries.round(one)}",
            text=text,
            notice=notice,
            round=tries.round(one),
            tried=tries.failed(one),
            due=tries.due(one),
        )
        for one in found
        if not tries.ended(one)
    ]


def recipients(
    thread: Thread, people: Policy | None, channels: Collection[str], directory: Directory
) -> list[Recipient]:
    """The conversation in which the thread began, and each person's first address here."""
    origin = list(_origin(thread, channels))
    found = [*origin]
    asked = () if people is None else sorted(people.everybody(directory))
    for person in asked[:RECIPIENTS_MAX]:
        addresses = directory.addresses.get(person, {})
        channel = next((name for name in addresses if name in channels), None)
        if channel is not None:
            found.append(Recipient(channel, addresses[channel], person))
        elif not origin:  # whoever reads along where it began is reached
            found.append(Recipient("", "", person))
    unique = {(one.channel, one.to, one.person if not one.channel else ""): one for one in found}
    return list(unique.values())


def sent(delivery: Delivery, said: Mapping[str, Json], *, now: datetime) -> Draft:
    data = _about(delivery) | ({"ref": dict(said)} if said else {})
    return Draft("contact_sent", data, now, key=f"sent:{_place(delivery)}")


def not_sent(delivery: Delivery, error: str, *, now: datetime) -> Draft:
    """The try failed. It is the last one after SENDS_MAX, or where there is no channel."""
    tries = delivery.tried + 1
    data = _about(delivery) | {"error": error, "tries": tries}
    if tries >= SENDS_MAX or not delivery.recipient.channel:
        data["dead"] = True
    return Draft("contact_not_sent", data, now, key=f"not_sent:{_place(delivery)}:{tries}")


def _about(delivery: Delivery) -> dict[str, Json]:
    one = delivery.recipient
    data: dict[str, Json] = {"contact": delivery.about, "channel": one.channel, "to": one.to}
    data |= {"person": one.person} if one.person else {}
    return data | ({"round": delivery.round} if delivery.round else {})


def _place(delivery: Delivery) -> str:
    """As part of a key, which outlives an erase: so without an address. Nor does every store keep
    every text in a key, and what cannot be recorded would be sent for ever."""
    one = delivery.recipient
    named = hashlib.sha256(one.person.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{delivery.about}:{delivery.round}:{one.channel}:{named if one.person else ''}"


def _origin(thread: Thread, channels: Collection[str]) -> Iterator[Recipient]:
    first = next((e for e in thread.events if e.type == "message_received"), None)
    if first is None or first.data.get("channel") not in channels:
        return
    to = first.data.get("conversation") or first.data.get("from")
    if isinstance(to, str) and to:
        yield Recipient(str(first.data["channel"]), to)


def _told(thread: Thread, step: str) -> Event | None:
    for event in reversed(list(thread.events)):
        if event.type == "step_settled" and event.data.get("step") == step:
            return event if event.data.get("told") else None
    return None


class _Tries:
    """What the log says of the messages about one contact, from event `since` on, where it was
    asked: a copied log may bring records of what is still to come.

    A recipient's newest round counts. A reminder and other people begin another for everybody;
    somebody who takes a place begins one for himself, and where the thread began.
    """

    def __init__(self, thread: Thread, about: str, *, since: int) -> None:
        self._events = [e for e in thread.events[since:] if e.data.get("contact") == about]

    def round(self, one: Recipient) -> int:
        return sum(map(_asks_again(one), self._events))

    def ended(self, one: Recipient) -> bool:
        return any(e.type == "contact_sent" or e.data.get("dead") for e in self._of(one))

    def failed(self, one: Recipient) -> int:
        return len(self._failures(one))

    def due(self, one: Recipient) -> datetime | None:
        """When the next try is due; None is at once."""
        failures = self._failures(one)
        if not failures:
            return None
        return failures[-1].at + min(PAUSE_FIRST * 2 ** (len(failures) - 1), PAUSE_MAX)

    def _failures(self, one: Recipient) -> list[Event]:
        return [e for e in self._of(one) if e.type == "contact_not_sent"]

    def _of(self, one: Recipient) -> list[Event]:
        number = self.round(one)
        return [
            e
            for e in self._events
            if e.type in {"contact_sent", "contact_not_sent"}
            and "link" not in e.data
            and e.data.get("round", 0) == number
            and (e.data["channel"], e.data["to"]) == (one.channel, one.to)
            and (one.channel or e.data.get("person") == one.person)
        ]


def _asks_again(one: Recipient) -> Callable[[Event], bool]:
    def asks(event: Event) -> bool:
        if event.type == "contact_reassigned":
            return one.person in ("", event.data.get("person"))
        return event.type in {"contact_reminded", "contact_escalated"}

    return asks
