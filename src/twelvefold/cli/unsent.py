"""What waits to be sent to people, as the rows and the log say it."""

from collections.abc import Iterator
from datetime import datetime

from twelvefold.app import App
from twelvefold.deliveries import (
    PAUSE_MAX,
    Backlog,
    Delivery,
    about_of,
    backlogs,
    closings,
    pending,
)
from twelvefold.exceptions import UnknownThread
from twelvefold.notices import ago
from twelvefold.store import EmbeddedStore
from twelvefold.thread import Thread

LOOKED_AT_MAX = 1000
"""Contacts and texts; what waits behind them is not counted."""


def unsent(app: App, store: EmbeddedStore) -> list[Backlog]:
    """By channel. Whatever is to be sent, or tried again, has a timer."""
    return backlogs(_waiting(app, store))


def said_of(one: Backlog, *, now: datetime) -> str:
    words = f"{one.count} not sent yet, the oldest for {ago((now - one.oldest).total_seconds())}"
    if one.error:
        words += f"; last error: {one.error}"
    if one.due is not None and one.due > now:
        words += f"; next try in {ago((one.due - now).total_seconds())}"
    return words


def _waiting(app: App, store: EmbeddedStore) -> Iterator[tuple[Thread, Delivery]]:
    around = app.surroundings
    timers = [due for due in store.due(app.clock() + 2 * PAUSE_MAX) if about_of(due.key)]
    for due in timers[:LOOKED_AT_MAX]:
        try:
            thread = store.load(due.ref.id, tenant=due.ref.tenant)
        except UnknownThread:  # erased meanwhile
            continue
        about = about_of(due.key) or ""
        left = pending(thread, about, around.channels, around.directory(due.ref.tenant))
        left += closings(thread, about, around.updating)
        yield from ((thread, one) for one in left if one.recipient.channel)
