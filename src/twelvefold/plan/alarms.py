"""The timers that a log asks for. Pure.

They are set in the transaction of what they belong to. Should the rows be lost, by hand or with an
older backup, the log says what they were.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from twelvefold.contacts import REMINDERS_MAX, deadline_timers, remind_timer
from twelvefold.deliveries import closings, pending, timer_of
from twelvefold.directory import Directory
from twelvefold.plan.parts import sleep_timer
from twelvefold.reducer import read
from twelvefold.state import Contact
from twelvefold.store import Timer
from twelvefold.thread import Event, Thread, from_iso


def alarms(
    thread: Thread,
    *,
    now: datetime,
    channels: Collection[str] = (),
    updating: Collection[str] = (),
    directory: Directory,
) -> list[Timer]:
    """What must wake this thread, and whoever sends for it, as the log stands. `updating` are the
    channels that change what they sent."""
    return [*waits(thread), *_left(thread, now, channels, updating, directory)]


def waits(thread: Thread) -> list[Timer]:
    """Of steps that sleep, and of contacts that end or are to be reminded of."""
    state = read(thread)
    found = [timer for one in state.open_contacts.values() for timer in deadline_timers(one)]
    for contact in state.open_contacts.values():
        if contact.remind is not None and contact.reminders < REMINDERS_MAX:
            due = _asked_last(thread, contact) + contact.remind
            found.append(Timer(remind_timer(contact.id), due))
    slept = [e.data for e in thread.events if e.type == "timer_set"]
    waiting = {one.waiting for one in state.open}
    dues = {data["timer"]: data["due"] for data in slept if f"timer:{data['timer']}" in waiting}
    return found + [Timer(sleep_timer(name), from_iso(due)) for name, due in dues.items()]


def _asked_last(thread: Thread, contact: Contact) -> datetime:
    """When those who are asked heard of it last by a timer."""
    reminders = [
        event.at
        for event in thread.events[contact.seq :]
        if event.type == "contact_reminded"
        and event.data.get("contact") == contact.id
        and "by" not in event.data
    ]
    return reminders[-1] if reminders else contact.asked_at


def sends(thread: Thread) -> list[Timer]:
    """For whoever does not know the channels: of what may still have to reach somebody. Who sends
    drops the timer when there is nothing left."""
    contacts = [Timer(timer_of(c.id), c.asked_at) for c in read(thread).open_contacts.values()]
    sent = {event.data["contact"] for event in thread.events if event.type == "contact_sent"}
    told = {e.data["step"]: e.at for e in _told(thread) if e.data["step"] not in sent}
    return contacts + [Timer(timer_of(step), at) for step, at in told.items()]


def _told(thread: Thread) -> list[Event]:
    return [e for e in thread.events if e.type == "step_settled" and "told" in e.data]


def _left(
    thread: Thread,
    now: datetime,
    channels: Collection[str],
    updating: Collection[str],
    directory: Directory,
) -> Iterator[Timer]:
    """One for each contact or text that has still to reach somebody, or to be changed."""
    if not channels:
        return
    told = [event.data["step"] for event in _told(thread)]
    for about in dict.fromkeys([*read(thread).contacts, *told]):
        left = pending(thread, about, channels, directory) + closings(thread, about, updating)
        if left:
            yield Timer(timer_of(about), min(one.due or now for one in left))
