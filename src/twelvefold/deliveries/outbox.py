"""What has still to reach somebody, as the log says."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import cast

from twelvefold.deliveries.records import (
    PAUSE_FIRST,
    PAUSE_MAX,
    RECIPIENTS_MAX,
    Delivery,
    Recipient,
)
from twelvefold.directory import Directory
from twelvefold.notices import notice_of
from twelvefold.policy import Policy
from twelvefold.reducer import read
from twelvefold.store import ContactRow, Ref
from twelvefold.thread import Event, Json, Thread


def pending(
    thread: Thread, about: str, channels: Collection[str], directory: Directory
) -> list[Delivery]:
    """What has still to reach somebody, whenever it is due. Nothing, once a contact is closed."""
    contact = read(thread).open_contacts.get(about)
    if contact is not None:
        ref = Ref(thread.tenant, thread.id)
        row = ContactRow(ref, thread.agent, about, contact.asked_at, contact.data)
        people, text, notice = contact.policy, contact.question, notice_of(row, thread)
        since, request = contact.seq, contact.data
    elif (event := _told(thread, about)) is not None:
        told = cast("dict[str, Json]", event.data["told"])
        to = told.get("to")
        people = None if to is None else Policy.from_data(to)
        text, notice, since = str(told["text"]), None, event.seq
        request: dict[str, Json] = {}
    else:
        return []
    found = recipients(thread, people, channels, directory)
    tries, begun = Tries(thread, about, since=since), began(thread)
    asked = () if people is None else people.everybody(directory)
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
            request=request,
            began=begun,
            asked=asked,
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


def began(thread: Thread) -> dict[str, Json]:
    """The message with which the thread began."""
    first = next((e for e in thread.events if e.type == "message_received"), None)
    return {} if first is None else first.data


def _origin(thread: Thread, channels: Collection[str]) -> Iterator[Recipient]:
    first = began(thread)
    to = first.get("conversation") or first.get("from")
    if first.get("channel") in channels and isinstance(to, str) and to:
        yield Recipient(str(first["channel"]), to)


def _told(thread: Thread, step: str) -> Event | None:
    for event in reversed(list(thread.events)):
        if event.type == "step_settled" and event.data.get("step") == step:
            return event if event.data.get("told") else None
    return None


class Tries:
    """What the log says of the messages about one contact, from event `since` on, where it was
    asked: a copied log may bring records of what is still to come.

    A recipient's newest round counts. A reminder and other people begin another for everybody;
    somebody who takes a place begins one for himself, and where the thread began.
    """

    def __init__(self, thread: Thread, about: str, *, since: int, closing: bool = False) -> None:
        """`closing`: of the change of what was sent, and not of the sending."""
        self._events = [e for e in thread.events[since:] if e.data.get("contact") == about]
        self._closing = closing

    def round(self, one: Recipient) -> int:
        return sum(map(_asks_again(one), self._events))

    def ended(self, one: Recipient, number: int | None = None) -> bool:
        found = self._of(one, number)
        return any(e.type == "contact_sent" or e.data.get("dead") for e in found)

    def failed(self, one: Recipient, number: int | None = None) -> int:
        return len(self._failures(one, number))

    def due(self, one: Recipient, number: int | None = None) -> datetime | None:
        """When the next try is due; None is at once."""
        failures = self._failures(one, number)
        if not failures:
            return None
        return failures[-1].at + min(PAUSE_FIRST * 2 ** (len(failures) - 1), PAUSE_MAX)

    def _failures(self, one: Recipient, number: int | None) -> list[Event]:
        return [e for e in self._of(one, number) if e.type == "contact_not_sent"]

    def _of(self, one: Recipient, number: int | None) -> list[Event]:
        number = self.round(one) if number is None else number
        return [
            e
            for e in self._events
            if e.type in {"contact_sent", "contact_not_sent"}
            and "link" not in e.data
            and ("closing" in e.data) == self._closing
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
