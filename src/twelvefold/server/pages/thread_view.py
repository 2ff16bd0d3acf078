"""What the page of a thread shows, made from its log. Pure: `now` is an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlencode

from twelvefold.server.pages.inspected import Inspected, inspected
from twelvefold.server.pages.rows import Row, Show, chosen_rows, page_with, pages_of, rows_of
from twelvefold.server.pages.told import Told, told
from twelvefold.store import ThreadRow
from twelvefold.summary import Status, Summary, short, summarize
from twelvefold.thread import Parent, Thread, from_iso

Action = Literal["message", "pause", "resume", "retry", "cancel"]

ACTIONS: Mapping[Status, Sequence[Action]] = {
    "running": ("message", "pause", "cancel"),
    "waiting": ("message", "pause", "cancel"),
    "paused": ("resume", "message", "cancel"),
    "failed": ("retry", "message", "cancel"),
    "finished": ("message", "cancel"),
    "cancelled": (),
    "erased": (),
}
"""What can be done to a thread, the most likely first."""

SHOW_NAMES: Mapping[Show, str] = {
    "all": "everything",
    "messages": "messages",
    "steps": "steps",
    "people": "steps that asked people",
    "errors": "errors",
    "other": "what is no step",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for; None is the newest."""

    at: int | None = None
    seq: int | None = None
    page: int | None = None
    show: Show = "all"
    search: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """What a thread waits for; `path` leads to it."""

    what: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class ThreadView:
    """`upto` is the event that the page shows the thread at, `at` its time; `head` the newest."""

    id: str
    name: str
    path: str
    agent: str
    parent: Parent | None
    title: str
    status: Status
    head: int
    upto: int
    is_past: bool
    at: datetime
    began: datetime
    summary: Summary
    waits: Sequence[Wait]
    rows: Sequence[Told]
    page: int
    pages: int
    asked: Asked
    event: Inspected | None
    actions: Sequence[Action]

    @property
    def shows(self) -> Mapping[Show, str]:
        return SHOW_NAMES

    def link(self, **changes: object) -> str:
        """This page with other questions; None takes one away."""
        asked = self.asked
        given: dict[str, object] = {
            "at": asked.at,
            "seq": asked.seq,
            "page": asked.page,
            "show": None if asked.show == "all" else asked.show,
            "q": asked.search or None,
        }
        query = {name: value for name, value in (given | changes).items() if value is not None}
        return self.path + (f"?{urlencode(query)}" if query else "")


def thread_view(log: Thread, row: ThreadRow, asked: Asked, *, now: datetime) -> ThreadView:
    upto = log.head if asked.at is None else asked.at
    past = upto < log.head
    thread = log.upto(upto) if past else log
    summary = summarize(thread.events) if past else row.summary
    last = thread.events[-1].at
    pages = pages_of(chosen_rows(thread, rows_of(thread), asked.show, asked.search))
    number = min(asked.page or _page_of(pages, asked.seq) or len(pages), len(pages))
    return ThreadView(
        id=log.id,
        name=short(log.id),
        path=path_of(log.id),
        agent=log.agent,
        parent=log.parent,
        title=row.summary.title,
        status=summary.status,
        head=log.head,
        upto=upto,
        is_past=past,
        at=last,
        began=from_iso(row.summary.created_at),
        summary=summary,
        waits=waits_of(log.id, summary),
        rows=[told(one, log.id, last if past else now) for one in pages[number - 1]],
        page=number,
        pages=len(pages),
        asked=asked,
        event=None if asked.seq is None else inspected(log, asked.seq),
        actions=() if past else ACTIONS[summary.status],
    )


def _page_of(pages: Sequence[Sequence[Row]], seq: int | None) -> int | None:
    return None if seq is None else page_with(pages, seq)


def path_of(thread_id: str) -> str:
    return f"/threads/{quote(thread_id, safe='')}"


def contact_path(contact: str) -> str:
    return f"/contacts/{quote(contact, safe='')}"


def waits_of(thread_id: str, summary: Summary) -> list[Wait]:
    """What each wait is for, in words."""
    return [_wait(thread_id, wait) for wait in summary.waits]


def _wait(thread_id: str, wait: str) -> Wait:
    kind, colon, name = wait.partition(":")
    if not colon:
        return Wait(f"people ({wait})", contact_path(f"{thread_id}.{wait}"))
    match kind:
        case "timer":
            return Wait(f"a time ({name})")
        case "signal":
            return Wait(f"the signal {name.rpartition(':')[0]}")
        case _:
            return Wait(f"the thread {short(name)}", path_of(name))
