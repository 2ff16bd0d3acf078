"""What a timer that came due means. Asks the log whether it still matters: timers may be late.
Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from twelvefold.contacts import deadline_timers, expired, next_reminder, reminded, timers_of
from twelvefold.reducer import read
from twelvefold.state import Contact, State
from twelvefold.store import Append, Timer
from twelvefold.thread import DELIVERY_RECORDS, Draft, Json, Thread

Fired = tuple[list[Draft], list[Timer]]


def fire(thread: Thread, key: str, *, now: datetime) -> Append:
    """What to append, and the timers that come after this one.

    Where a reminder by hand or a vote came first, this timer stays, and is judged again: what it
    would repeat has set the next one under its name.
    """
    state = read(thread)
    drafts, timers = _fired(state, key, now)
    return Append(
        thread.id,
        drafts,
        tenant=thread.tenant,
        expect=thread.head,
        exact=True,
        wake=any(draft.type not in DELIVERY_RECORDS for draft in drafts),
        cancel=_ended(key, drafts, state),
        timers=timers,
    )


def _fired(state: State[Any], key: str, now: datetime) -> Fired:
    kind, _, name = key.partition(":")
    contact = state.open_contacts.get(name)
    if kind == "expire" and contact is not None:
        return _expired(contact, now)
    if kind == "remind" and contact is not None:
        return [reminded(contact, now)], next_reminder(contact, now)
    if kind == "sleep":
        return _slept(state, name, key, now), []
    return [], []


def _expired(contact: Contact, now: datetime) -> Fired:
    if contact.deadline is None or now < contact.deadline:  # it was moved meanwhile
        return [], deadline_timers(contact)
    draft, timers = expired(contact, now)
    return [draft], timers


def _slept(state: State[Any], step_id: str, key: str, now: datetime) -> list[Draft]:
    """A step that was put to sleep twice has one timer, and its fact one key: it is fired only
    where that ends the sleep."""
    chosen = state.open_step(step_id)
    if chosen is None or chosen.waiting != f"timer:{step_id}":
        return []
    fired: dict[str, Json] = {"step": step_id, "timer": step_id, "intent": chosen.intent}
    return [Draft("timer_fired", fired, now, key=f"fired:{key}")]


def _ended(key: str, drafts: Sequence[Draft], state: State[Any]) -> tuple[str, ...]:
    """This timer, and those of a contact that it closed."""
    closed = [draft.data["contact"] for draft in drafts if draft.type == "contact_closed"]
    others = [timer for id in closed for timer in timers_of(state.contacts[id])]
    return tuple(dict.fromkeys([key, *others]))
