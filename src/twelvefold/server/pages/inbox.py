"""`/inbox`: what waits for people, what of it is mine, and what was decided.

A page of a list is a page of the store: nothing is read that is not shown.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from twelvefold.app import App
from twelvefold.inbox import ContactRow
from twelvefold.policy import RISKS
from twelvefold.server.pages.inbox_view import (
    TABS,
    Line,
    Offered,
    Tab,
    Wanted,
    count,
    line,
    offered,
    policies_for,
)
from twelvefold.server.pages.layout import page
from twelvefold.server.pages.refusals import pages_router
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list, `open` and `mine` in number, and where the next page begins."""

    rows: list[ContactRow]
    open: int
    mine: int
    offered: Offered
    after: str


def router(serving: Serving) -> APIRouter:
    routes = pages_router(serving)

    @routes.get("/inbox")
    async def inbox(  # pyright: ignore[reportUnusedFunction]
        request: Request,
        tab: Tab = "waiting",
        agent: str = "",
        risk: str = "",
        to: str = "",
        after: str = "",
    ) -> Response:
        who = await serving.who(request, "contacts:read")
        wanted = Wanted(agent, risk, to)
        listed = await run_sync(partial(look, serving.app, who, tab, wanted, after))
        return _page(request, serving, who, tab, wanted, listed, is_first=not after)

    return routes


def look(app: App, who: Principal, tab: Tab, wanted: Wanted, after: str) -> Listed:
    """Two statements of the store. Raises `InvalidRequest` for a place that is none."""
    store, tenant = app.store, who.tenant
    backlog, directory = store.backlog(tenant=tenant), app.directory(tenant=tenant)
    mine = policies_for(who.person or who.name, backlog, directory)
    asked = policies_for(wanted.to, backlog, directory) if wanted.to else None
    if tab == "mine":
        asked = mine if asked is None else [text for text in asked if text in mine]
    rows = (store.closed if tab == "history" else store.contacts)(
        tenant=tenant,
        limit=PAGE_ROWS + 1,
        after=after,
        agent=wanted.agent or None,
        risk=wanted.risk or None,
        to=None if tab == "history" else asked,  # policies are known of what is open
    )
    every = Wanted()
    return Listed(
        rows[:PAGE_ROWS],
        count(backlog, wanted, asked) if tab == "waiting" else count(backlog, every, None),
        count(backlog, wanted, asked) if tab == "mine" else count(backlog, every, mine),
        Offered(sorted(app.agents), RISKS, ()) if tab == "history" else offered(backlog, directory),
        rows[PAGE_ROWS - 1].place if len(rows) > PAGE_ROWS else "",
    )


def first_of(app: App, who: Principal) -> Line | None:
    """What waits for this person and is to be decided first."""
    store, tenant = app.store, who.tenant
    directory = app.directory(tenant=tenant)
    mine = policies_for(who.person or who.name, store.backlog(tenant=tenant), directory)
    rows = store.contacts(tenant=tenant, limit=1, to=mine)
    return line(rows[0], app.clock()) if rows else None


def _page(
    request: Request,
    serving: Serving,
    who: Principal,
    tab: Tab,
    wanted: Wanted,
    listed: Listed,
    *,
    is_first: bool,
) -> Response:
    now = serving.app.clock()

    def link(**changed: Any) -> str:
        query = {"tab": tab, **wanted.fields(), **changed}
        return serving.at(request, f"/inbox?{urlencode({k: v for k, v in query.items() if v})}")

    return page(
        request,
        serving,
        "inbox.html",
        who=who,
        now=now,
        tab=tab,
        tabs=TABS,
        lines=[line(row, now) for row in listed.rows],
        listed=listed,
        wanted=wanted,
        link=link,
        is_first=is_first,
    )
