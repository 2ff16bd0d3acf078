"""The list of threads: by status and agent, with words in the title or the id, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from twelvefold.app import App
from twelvefold.server.pages.layout import page
from twelvefold.server.pages.refusals import pages_router
from twelvefold.server.pages.thread_view import Wait, path_of, waits_of
from twelvefold.server.serving import Serving
from twelvefold.store import ThreadRow
from twelvefold.summary import Status, short
from twelvefold.thread import from_iso

ROWS_PER_PAGE = 50
LOOKED_THROUGH_MAX = 2_000
"""So many threads are looked through for words, then the reader is asked whether to go on."""

LOOKED_AT_ONCE = 500
SEARCH_CHARS_MAX = 200
ID_CHARS_MAX = 16
"""A longer id is shown by its ending, as in the terminal."""

STATUSES: Sequence[Status] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Line:
    """One thread in the list."""

    id: str
    name: str
    path: str
    agent: str
    status: Status
    title: str
    updated: datetime
    steps: int
    cost: float
    waits: Sequence[Wait]
    failed: str
    parent: str
    parent_path: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address of the page asks for."""

    status: Status | None = None
    agent: str | None = None
    search: str = ""

    @property
    def any(self) -> bool:
        return bool(self.status or self.agent or self.search)

    def link(self, before: str | None = None) -> str:
        given = {"status": self.status, "agent": self.agent, "q": self.search, "before": before}
        query = urlencode({name: value for name, value in given.items() if value})
        return "/threads" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of threads. `following` is the last id that was looked at, if there may be more."""

    lines: Sequence[Line]
    looked_through: int
    following: str | None


def router(serving: Serving) -> APIRouter:
    routes, app = pages_router(serving), serving.app

    @routes.get("/threads")
    async def threads(  # pyright: ignore[reportUnusedFunction]
        request: Request,
        status: Status | Literal[""] = "",
        agent: str = "",
        q: Annotated[str, Query(max_length=SEARCH_CHARS_MAX)] = "",
        before: str | None = None,
    ) -> Response:
        who = await serving.access.principal(request)
        who.needs("threads:read")
        filters = Filters(status or None, agent or None, q.strip())
        if before is not None:
            app.store.thread_row(before, tenant=who.tenant)  # of nobody else's list
        return page(
            request,
            serving,
            "threads.html",
            who=who,
            found=found(app, filters, before, tenant=who.tenant),
            filters=filters,
            agents=sorted(app.agents),
            statuses=STATUSES,
            is_first=before is None,
        )

    return routes


def found(app: App, filters: Filters, before: str | None, *, tenant: str) -> Found:
    """One page, the newest first; less than a page where looking on would take too long."""
    lines: list[Line] = []
    looked_through = 0
    for row in _rows(app, filters, before, tenant):
        if len(lines) == ROWS_PER_PAGE or looked_through == LOOKED_THROUGH_MAX:
            return Found(lines, looked_through, before)
        looked_through, before = looked_through + 1, row.ref.id
        if fits(row, filters.search):
            lines.append(line_of(row))
    return Found(lines, looked_through, None)


def _rows(app: App, filters: Filters, before: str | None, tenant: str) -> Iterator[ThreadRow]:
    limit = LOOKED_AT_ONCE if filters.search else ROWS_PER_PAGE + 1
    while True:
        rows = app.threads(
            tenant=tenant, status=filters.status, agent=filters.agent, limit=limit, before=before
        )
        yield from rows
        if len(rows) < limit:
            return
        before = rows[-1].ref.id


def fits(row: ThreadRow, search: str) -> bool:
    """Whether the words are in the title or the id."""
    words = search.casefold()
    return words in row.summary.title.casefold() or words in row.ref.id.casefold()


def line_of(row: ThreadRow) -> Line:
    summary, parent = row.summary, row.parent
    return Line(
        id=row.ref.id,
        name=row.ref.id if len(row.ref.id) <= ID_CHARS_MAX else short(row.ref.id),
        path=path_of(row.ref.id),
        agent=row.agent,
        status=row.status,
        title=summary.title,
        updated=from_iso(summary.updated_at),
        steps=summary.steps,
        cost=summary.cost,
        waits=waits_of(row.ref.id, summary),
        failed=summary.failed or "",
        parent="" if parent is None else short(parent.thread),
        parent_path="" if parent is None else path_of(parent.thread),
    )
