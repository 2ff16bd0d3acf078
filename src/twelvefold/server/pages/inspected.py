"""One event, looked at from all sides: what it says, what a model reads of it, its data."""

import json
from dataclasses import dataclass
from datetime import datetime

from twelvefold.context import render_event
from twelvefold.notices.events import said
from twelvefold.plan import is_reply
from twelvefold.thread import Event, Json, Thread

DATA_CHARS_MAX = 20_000
"""A page shows so much of the data of one event; the API gives all of it."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """`read`: what a model reads of it, "" for nothing. `answers`: whether it is a model's reply,
    so that a request belongs to it. `more_chars`: how much of the data is not shown."""

    seq: int
    type: str
    at: datetime
    key: str | None
    after: int | None
    text: str
    read: str
    result: str
    data: str
    more_chars: int
    answers: bool
    contact: str
    child: str


def inspected(thread: Thread, seq: int) -> Inspected | None:
    """None where the thread has no such event."""
    if not 1 <= seq <= thread.head:
        return None
    event = thread.events[seq - 1]
    data = pretty(event.data)
    contact, child = event.data.get("contact"), event.data.get("child")
    return Inspected(
        seq=seq,
        type=event.type,
        at=event.at,
        key=event.key,
        after=event.after,
        text=said(event, thread.id)[:DATA_CHARS_MAX],
        read=render_event(event)[:DATA_CHARS_MAX],
        result=_result(event)[:DATA_CHARS_MAX],
        data=data[:DATA_CHARS_MAX],
        more_chars=max(0, len(data) - DATA_CHARS_MAX),
        answers=is_reply(event),
        contact="" if contact is None else f"{thread.id}.{contact}",
        child="" if child is None else str(child),
    )


def pretty(data: Json) -> str:
    """JSON for reading: in the order it was written, indented, with its letters as they are."""
    return json.dumps(data, ensure_ascii=False, indent=2)


def _result(event: Event) -> str:
    result = event.data.get("result")
    if result is None:
        return ""
    return result if isinstance(result, str) else pretty(result)
