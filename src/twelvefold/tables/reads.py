"""The reading half of a store: each read is one statement or two, over what was committed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from twelvefold.audit import Head, Recorded, Said
from twelvefold.exceptions import UnknownAttachment, UnknownThread
from twelvefold.inbox import place_of
from twelvefold.store import Backlog, ContactRow, Due, ThreadRow, Woken
from twelvefold.summary import Status
from twelvefold.tables.rows import (
    Row,
    contact_row_of,
    due_of,
    event_of,
    head_of,
    parent_of,
    recorded_of,
    said_of,
    thread_row_of,
    woken_of,
)
from twelvefold.thread import DEFAULT_TENANT, Event, Thread, from_iso, to_iso, to_text
from twelvefold.watching import LISTED_MAX, PAGE_EVENTS

NUMBER_MAX = 2**63 - 1
LAST = "~"
"""After every time."""


Ask = Callable[[str, Any], list[Any]]
"""The rows of a statement by name. A name that cannot be stored has none."""


class Reads:
    """Everything may be called from any thread, when `ask` may."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def load(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Thread:
        row = self._row("thread_head", (tenant, thread_id))
        if row is None:
            raise unknown(thread_id, tenant)
        agent, *launched = row
        parent = parent_of(*launched)
        rows = self._rows("events_after", (tenant, thread_id, 0))
        return Thread(thread_id, agent, map(event_of, rows), tenant=tenant, parent=parent)

    def tail(self, thread: Thread) -> Thread:
        rows = self._rows("events_after", (thread.tenant, thread.id, thread.head))
        return thread.grown([event_of(row) for row in rows]) if rows else thread

    def epoch(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> int:
        row = self._row("thread_epoch", (tenant, thread_id))
        if row is None:
            raise unknown(thread_id, tenant)
        return row[0]

    def threads(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        status: Status | None = None,
        agent: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[ThreadRow]:
        place = NUMBER_MAX if before is None else self._number(before, tenant)
        wanted = (tenant, place, limit)
        if status is not None:
            rows = self._rows("list_threads_of_status", (*wanted, status, agent))
        elif agent is not None:
            rows = self._rows("list_threads_of_agent", (*wanted, agent))
        else:
            rows = self._rows("list_threads", wanted)
        return [thread_row_of(row) for row in rows]

    def thread_row(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> ThreadRow:
        row = self._row("thread_row", (tenant, thread_id))
        if row is None:
            raise unknown(thread_id, tenant)
        return thread_row_of(row)

    def ids_ending(self, suffix: str, *, tenant: str = DEFAULT_TENANT, limit: int = 5) -> list[str]:
        if self._row("thread_epoch", (tenant, suffix)) is not None:
            return [suffix]
        rows = self._rows("ids_ending", (tenant, suffix, limit))
        return [id for (id,) in rows]

    def contacts(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        open_only: bool = True,
        limit: int = 1000,
        after: str = "",
        agent: str | None = None,
        risk: str | None = None,
        to: Sequence[str] | None = None,
    ) -> list[ContactRow]:
        name = "list_open_contacts" if open_only else "list_contacts"
        place = place_of(after, str, str, int, int) or ("", "", 0, 0)
        wanted = (tenant, limit, *place, agent, risk, _texts(to))
        return [contact_row_of(row) for row in self._rows(name, wanted)]

    def closed(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        limit: int = 100,
        after: str = "",
        agent: str | None = None,
        risk: str | None = None,
        to: Sequence[str] | None = None,
    ) -> list[ContactRow]:
        place = place_of(after, str, int, int) or (LAST, NUMBER_MAX, NUMBER_MAX)
        wanted = (tenant, limit, *place, agent, risk, _texts(to))
        return [contact_row_of(row) for row in self._rows("list_closed_contacts", wanted)]

    def backlog(self, *, tenant: str = DEFAULT_TENANT) -> list[Backlog]:
        return [Backlog(*row) for row in self._rows("backlog", (tenant,))]

    def kept(self, sha256: str, *, tenant: str = DEFAULT_TENANT) -> bytes:
        row = self._row("blob", (tenant, sha256))
        if row is None:
            raise UnknownAttachment(
                f"there is no attachment {sha256!r} (tenant {tenant!r}) in this store."
            )
        return row[0]

    def recorded(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Recorded:
        rows = self._rows("recorded", (tenant, thread_id))
        if not rows:
            raise unknown(thread_id, tenant)
        return recorded_of(tenant, thread_id, rows)

    def heads(self) -> list[Head]:
        return [head_of(row) for row in self._rows("heads")]

    def said(self, *, tenant: str = DEFAULT_TENANT, thread_id: str | None = None) -> list[Said]:
        return [said_of(row) for row in self._rows("said", (tenant, thread_id))]

    def mark(self) -> str:
        ((mark,),) = self._rows("mark")
        return str(mark)

    def heads_of(self, threads: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        rows = self._rows("heads_of", (to_text([list(name) for name in threads]),))
        return {(tenant, id): head for tenant, id, head in rows}

    def events(
        self,
        thread_id: str,
        *,
        after: int = 0,
        limit: int = PAGE_EVENTS,
        tenant: str = DEFAULT_TENANT,
    ) -> list[Event]:
        return [
            event_of(row) for row in self._rows("events_page", (tenant, thread_id, after, limit))
        ]

    def contacts_mark(self, *, tenant: str = DEFAULT_TENANT) -> str:
        return _mark_of(self._row("contacts_mark", (tenant,)))

    def threads_mark(self, *, tenant: str = DEFAULT_TENANT) -> str:
        return _mark_of(self._row("threads_mark", (tenant, LISTED_MAX)))

    def woken(self) -> list[Woken]:
        return [woken_of(row) for row in self._rows("woken")]

    def due(self, now: datetime) -> list[Due]:
        return [due_of(row) for row in self._rows("due", (to_iso(now),))]

    def next_due(self) -> datetime | None:
        ((due,),) = self._rows("next_due")
        return None if due is None else from_iso(due)

    def armed(self) -> list[Due]:
        return [due_of(row) for row in self._rows("armed")]

    def _number(self, thread_id: str, tenant: str) -> int:
        row = self._row("thread_number", (tenant, thread_id))
        if row is None:
            raise unknown(thread_id, tenant)
        return row[0]

    def _row(self, name: str, parameters: Any = ()) -> Row | None:
        return next(iter(self._rows(name, parameters)), None)

    def _rows(self, name: str, parameters: Any = ()) -> list[Any]:
        return self._ask(name, parameters)


def _mark_of(row: Row | None) -> str:
    return "-".join("" if value is None else str(value) for value in row or ())


def _texts(to: Sequence[str] | None) -> str | None:
    return None if to is None else to_text(list(to))


def unknown(thread_id: str, tenant: str) -> UnknownThread:
    return UnknownThread(
        f"there is no thread {thread_id!r} (tenant {tenant!r}) here."
        " `twelvefold threads list` shows those that are."
    )
