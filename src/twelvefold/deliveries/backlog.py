"""What waits to be sent, by channel: how many, since when, and why it has not gone out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from twelvefold.deliveries.records import Delivery
from twelvefold.reducer import read
from twelvefold.thread import Event, Thread


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one channel. `error` is that of the newest try, "" before the first; `due` is when the
    next is tried, None at once."""

    channel: str
    count: int
    oldest: datetime
    error: str
    tried: datetime | None
    due: datetime | None


def backlogs(waiting: Iterable[tuple[Thread, Delivery]]) -> list[Backlog]:
    """By the names of their channels."""
    found: dict[str, Backlog] = {}
    for thread, delivery in waiting:
        one = _alone(thread, delivery)
        before = found.get(one.channel)
        found[one.channel] = one if before is None else _both(before, one)
    return [found[name] for name in sorted(found)]


def _alone(thread: Thread, delivery: Delivery) -> Backlog:
    failed = _newest_failure(thread, delivery)
    error = "" if failed is None else str(failed.data["error"])
    tried = None if failed is None else failed.at
    channel = delivery.recipient.channel
    return Backlog(channel, 1, _since(thread, delivery), error, tried, delivery.due)


def _both(one: Backlog, other: Backlog) -> Backlog:
    newest = max(one, other, key=_tried)
    dues = [each.due for each in (one, other)]
    return replace(
        newest,
        count=one.count + other.count,
        oldest=min(one.oldest, other.oldest),
        due=None if None in dues else min(due for due in dues if due is not None),
    )


def _tried(one: Backlog) -> float:
    return 0.0 if one.tried is None else one.tried.timestamp()


def _since(thread: Thread, delivery: Delivery) -> datetime:
    if delivery.closing is not None:
        return delivery.closing.at
    contact = read(thread).contacts.get(delivery.about)
    if contact is not None:
        return contact.asked_at
    told = [e for e in thread.events if e.data.get("step") == delivery.about and "told" in e.data]
    return told[-1].at


def _newest_failure(thread: Thread, delivery: Delivery) -> Event | None:
    for event in reversed(list(thread.events)):
        if event.type == "contact_not_sent" and (
            (event.data["contact"], event.data["channel"], event.data["to"])
            == (delivery.about, delivery.recipient.channel, delivery.recipient.to)
        ):
            return event
    return None
