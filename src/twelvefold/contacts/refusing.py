"""Why somebody may not have his say, and the record of it. Pure."""

from datetime import datetime, timedelta
from typing import Any

from twelvefold.contacts.moving import MESSAGE_CAME, is_over, is_withdrawn
from twelvefold.directory import Directory
from twelvefold.exceptions import (
    AlreadyDecided,
    AskedAnew,
    Conflict,
    Expired,
    NotAllowed,
    TwelvefoldError,
)
from twelvefold.policy import RISKS, Risk, Settles
from twelvefold.state import Contact, State
from twelvefold.steps import risk_of
from twelvefold.thread import Draft, Json, to_iso

REFUSALS_RECORDED_MAX = 20


def over(
    state: State[Any], contact: Contact, *, now: datetime, digest: str | None
) -> Conflict | None:
    """Why nothing more can be said to it, or not to what this person saw."""
    name = name_of(state, contact)
    if contact.outcome is not None:
        return _ended(contact, f"{name} was already {_how_closed(contact, now)}. Nothing was done.")
    if state.cancelled:
        return Conflict(f"{state.thread_id} was cancelled. Nothing was done.")
    if is_over(contact, now) and contact.deadline is not None:
        at = to_iso(contact.deadline)
        return Expired(f"{name} expired at {at}. Nothing was done.", outcome="expired", at=at)
    if is_withdrawn(state, contact):
        return Conflict(f"{name} is withdrawn: {MESSAGE_CAME}. Nothing was done.")
    chosen = state.open_step(contact.step)
    if chosen is None or chosen.waiting != contact.id:
        return Conflict(f"{name}: {contact.step} was settled otherwise. Nothing was done.")
    if contact.digest is not None and chosen.digest(contact.id) != contact.digest:
        return AskedAnew(f"{name} changed since, so it is asked again. Nothing was done.")
    if contact.digest is not None and digest not in (None, contact.digest):
        return Conflict(f"{name} shows other arguments than the ones you saw. Nothing was done.")
    return None


def not_asked(
    state: State[Any], contact: Contact, who: str, directory: Directory
) -> NotAllowed | None:
    """Why this person's word does not count."""
    if contact.policy.allows(who, directory, initiators=initiators_of(state, contact)):
        return None
    if contact.policy.allows(who, directory):
        why = "asked for it, and four eyes are needed"
    else:
        why = f"may not answer {name_of(state, contact)}; it was asked of {contact.policy}"
    return NotAllowed(f"{who} {why}. Nothing was done.")


def too_weak(
    state: State[Any], contact: Contact, settles: Settles, *, channel: str, assurance: str
) -> NotAllowed | None:
    """Why this channel proves too little."""
    risk = risk_now(state, contact)
    if settles.allows(assurance, risk):
        return None
    return NotAllowed(
        f"{channel} ({assurance}) may not settle {risk} risk: {name_of(state, contact)}."
        " Nothing was done. Use a channel that proves more, or change `App(settles=...)`."
    )


def name_of(state: State[Any], contact: Contact) -> str:
    return f"{state.thread_id}.{contact.id}"


def initiators_of(state: State[Any], contact: Contact) -> tuple[str, ...]:
    chosen = state.by_id(contact.step)
    return () if chosen is None else chosen.initiators


def risk_now(state: State[Any], contact: Contact) -> Risk:
    """The higher of then and today: what was asked as low may have become high since."""
    cls = state.classes.get(contact.intent)
    today = contact.risk if cls is None else risk_of(cls)
    return RISKS[max(RISKS.index(contact.risk), RISKS.index(today))]


def _ended(contact: Contact, message: str) -> AlreadyDecided:
    kind = Expired if contact.outcome == "expired" else AlreadyDecided
    return kind(
        message,
        outcome=str(contact.outcome),
        by=contact.closed_by or contact.rule,
        at="" if contact.closed_at is None else to_iso(contact.closed_at),
        channel=contact.closed_channel,
    )


def _how_closed(contact: Contact, now: datetime) -> str:
    words = str(contact.outcome).replace("_", " ")
    who = f" by {contact.closed_by}" if contact.closed_by else ""
    when = "" if contact.closed_at is None else f", {ago(now - contact.closed_at)} ago"
    where = f" ({contact.closed_channel})" if contact.closed_channel else ""
    return words + who + when + where


def ago(age: timedelta) -> str:
    """A duration in its largest unit: `8 s`, `2 min`, `3 h`, `5 d`."""
    seconds = max(int(age.total_seconds()), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def record_refusal(
    state: State[Any], contact: Contact, refusal: TwelvefoldError, now: datetime, **said: Json
) -> tuple[Draft, ...]:
    """`answer_refused`, up to a limit: whoever hammers fills no log."""
    if state.refusals.get(contact.id, 0) >= REFUSALS_RECORDED_MAX:
        return ()
    data = {"contact": contact.id, **said, "why": str(refusal)}
    return (Draft("answer_refused", data, now),)
