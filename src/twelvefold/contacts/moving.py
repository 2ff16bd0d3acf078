"""Contacts move on: to others when time is over, from hand to hand, and back to mind. Pure.

An event that moves a contact repeats its request as it stands from then on, so whoever lists or
sends contacts reads one event and not a history.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from twelvefold.contacts.asking import close, expiry_timer, remind_timer
from twelvefold.policy import Policy
from twelvefold.state import Contact, State, moved
from twelvefold.store import Timer
from twelvefold.thread import Draft, Json, to_iso

REMINDERS_MAX = 20
"""Reminders of one contact, by timer or by hand."""
EXPIRED = "nobody answered in time"
MESSAGE_CAME = "a message came after it was asked"

_OF_A_MOVE = frozenset(
    {"asked_at", "instead_of", "person", "by", "channel", "assurance", "comment", "directory"}
)


def is_over(contact: Contact, now: datetime) -> bool:
    return contact.deadline is not None and now > contact.deadline


def is_withdrawn(state: State[Any], contact: Contact) -> bool:
    """Whether a message has taken it back, closed or not yet."""
    return contact.withdraw_on_message and state.was_written_to_after(contact.seq)


def in_force(contact: Contact, now: datetime) -> tuple[Contact, list[Draft]]:
    """The contact as it stands now. Escalated, where that is due and its timer is late: then with
    the event that says so."""
    if contact.outcome is not None or not is_over(contact, now):
        return contact, []
    if (draft := escalated(contact, now)) is None:
        return contact, []
    return moved(contact, draft.data), [draft]


def escalated(contact: Contact, now: datetime, **who: Json) -> Draft | None:
    """`contact_escalated`, once; None where silence means something else. `who`: by hand."""
    then = contact.on_expiry.get("escalate")
    if then is None:
        return None
    deadline = now + timedelta(seconds=then["within_s"])
    data = restated(contact, to=then["to"], deadline=to_iso(deadline))
    data.pop("on_expiry")
    return Draft("contact_escalated", data | _said(who), now, key=f"escalated:{contact.id}")


def expired(contact: Contact, now: datetime) -> tuple[Draft, list[Timer]]:
    """What a deadline that has passed means, and the next timer."""
    if (draft := escalated(contact, now)) is not None:
        return draft, deadline_timers(moved(contact, draft.data))
    option = contact.on_expiry.get("option")
    if option is None:
        return close(contact, "expired", now=now, comment=EXPIRED), []
    return close(contact, "chosen", now=now, comment=EXPIRED, choice=option), []


def reminded(contact: Contact, now: datetime, *, by: str = "") -> Draft:
    """`contact_reminded`: whoever sends sends again. Without a key, for the append that repeats one
    still drops its timer, and nobody would be reminded any more: commit it `exact`."""
    number = contact.reminders + 1
    data: dict[str, Json] = {
        "contact": contact.id,
        "step": contact.step,
        "intent": contact.intent,
        "reminder": number,
    }
    data |= {"by": by} if by else {}
    return Draft("contact_reminded", data, now)


def next_reminder(contact: Contact, now: datetime) -> list[Timer]:
    """The timer of the one after this one."""
    if contact.remind is None or contact.reminders + 1 >= REMINDERS_MAX:
        return []
    return [Timer(remind_timer(contact.id), now + contact.remind)]


def reassigned(contact: Contact, to: Policy, now: datetime, **who: Json) -> Draft:
    """`contact_reassigned`: what was asked, asked of `to`."""
    data = restated(contact, to=to.to_data())
    return Draft("contact_reassigned", data | _said(who), now)


def _said(who: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in who.items() if value not in (None, "")}


def restated(contact: Contact, **changed: Json) -> dict[str, Json]:
    """The request again, with what changed in it."""
    request = {name: value for name, value in contact.data.items() if name not in _OF_A_MOVE}
    return {**request, "asked_at": to_iso(contact.asked_at), **changed}


def deadline_timers(contact: Contact) -> list[Timer]:
    deadline = contact.deadline
    return [] if deadline is None else [Timer(expiry_timer(contact.id), deadline)]
