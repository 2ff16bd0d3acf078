"""What became of a message, as a fact."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from twelvefold.deliveries.records import SENDS_MAX, Delivery
from twelvefold.thread import Draft, Json


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
    data |= {"round": delivery.round} if delivery.round else {}
    return data | ({"closing": delivery.closing.outcome} if delivery.closing else {})


def _place(delivery: Delivery) -> str:
    """As part of a key, which outlives an erase: so without an address. Nor does every store keep
    every text in a key, and what cannot be recorded would be sent for ever."""
    one = delivery.recipient
    named = hashlib.sha256(one.person.encode(errors="surrogatepass")).hexdigest()[:16]
    place = f"{delivery.about}:{delivery.round}:{one.channel}:{named if one.person else ''}"
    return f"{place}:closed" if delivery.closing else place
