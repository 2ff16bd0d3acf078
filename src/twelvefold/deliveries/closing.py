"""The messages that asked what has been answered meanwhile: each is changed where it was sent.

The first answer closes a contact everywhere; who looks at another message of it later sees who
decided, and when.
"""

from collections.abc import Collection
from dataclasses import replace

from twelvefold.deliveries.outbox import Tries, began
from twelvefold.deliveries.records import Closing, Delivery, Recipient
from twelvefold.reducer import read
from twelvefold.state import Contact
from twelvefold.store import Ref
from twelvefold.thread import Event, Thread


def closings(thread: Thread, about: str, channels: Collection[str]) -> list[Delivery]:
    """What has still to be changed in `channels`, those with updates."""
    contact = read(thread).contacts.get(about)
    if contact is None or contact.outcome is None or contact.closed_at is None:
        return []
    found: dict[tuple[str, str, str], Delivery] = {}
    for event in thread.events[contact.seq :]:
        if _asked(event, about, channels):
            delivery = _closing(thread, contact, event)
            one = delivery.recipient
            found[one.channel, one.to, one.person] = delivery  # the newest message of each
    tries = Tries(thread, about, since=contact.seq, closing=True)
    return [
        replace(
            one,
            tried=tries.failed(one.recipient, one.round),
            due=tries.due(one.recipient, one.round),
        )
        for one in found.values()
        if not tries.ended(one.recipient, one.round)
    ]


def _asked(event: Event, about: str, channels: Collection[str]) -> bool:
    data = event.data
    return (
        event.type == "contact_sent"
        and data.get("contact") == about
        and data.get("channel") in channels
        and "ref" in data
        and "link" not in data
        and "closing" not in data
    )


def _closing(thread: Thread, contact: Contact, event: Event) -> Delivery:
    assert contact.outcome is not None
    assert contact.closed_at is not None
    data = event.data
    recipient = Recipient(data["channel"], data["to"], data.get("person", ""))
    closed = next(
        (
            e
            for e in thread.events
            if e.type == "contact_closed" and e.data["contact"] == contact.id
        ),
        None,
    )
    closing = Closing(
        contact.outcome,
        contact.closed_by,
        contact.closed_at,
        contact.closed_channel,
        str(closed.data.get("comment") or "") if closed else "",
        data["ref"],
    )
    ref, number = Ref(thread.tenant, thread.id), data.get("round", 0)
    place = f"{ref.tenant}/{ref.id}/{contact.id}/{recipient.channel}/{recipient.to}"
    return Delivery(
        ref=ref,
        about=contact.id,
        recipient=recipient,
        key=f"{place}/{number}/closed",
        round=number,
        closing=closing,
        request=contact.data,
        began=began(thread),
    )
