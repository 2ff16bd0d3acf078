"""The page that says how it all goes."""

from collections.abc import Sequence
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from twelvefold.app import App
from twelvefold.app.limited import limited_threads
from twelvefold.exceptions import UnknownThread
from twelvefold.notices import troubles
from twelvefold.server.pages.health_view import (
    Asked,
    agents_of,
    asked,
    failed_of,
    people_of,
    stopped_of,
    worries,
)
from twelvefold.server.pages.layout import page
from twelvefold.server.pages.refusals import pages_router
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.store import ContactRow
from twelvefold.stores import shown_url

CONTACTS_MAX = 1_000
"""Open contacts that are looked at: the nearest deadlines, then the oldest."""

FAILED_MAX = 20
COUNTED_MAX = 500
"""The newest threads whose use is added up."""

ASKED_AFTER_MAX = 100
"""Open contacts whose threads are read for what did not arrive."""


def router(serving: Serving) -> APIRouter:
    routes, app = pages_router(serving), serving.app

    @routes.get("/health")
    async def health(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        who = await serving.access.principal(request)
        who.needs("threads:read")
        view = await anyio.to_thread.run_sync(_view, app, who)
        return page(request, serving, "health.html", who=who, **view)

    return routes


def _view(app: App, who: Principal) -> dict[str, Any]:
    """What is of the whole store, and not of one tenant, is for those who answer for all of it."""
    rows = app.store.contacts(tenant=who.tenant, limit=CONTACTS_MAX)
    open = sum(row.open for row in app.store.backlog(tenant=who.tenant))
    people = people_of(rows, open=open, now=app.clock())
    failed = app.threads(tenant=who.tenant, status="failed", limit=FAILED_MAX + 1)
    newest = app.threads(tenant=who.tenant, limit=COUNTED_MAX)
    lost = _undelivered(app, rows[:ASKED_AFTER_MAX])
    stopped = stopped_of(limited_threads(app.store, tenant=who.tenant), tenant=who.tenant)
    stats = app.new_engine().stats() if "admin" in who.scopes else None
    return {
        "people": people,
        "failed": failed_of(failed[:FAILED_MAX]),
        "more_failed": len(failed) > FAILED_MAX,
        "stopped": stopped,
        "agents": agents_of(newest),
        "counted": len(newest),
        "undelivered": lost,
        "stats": stats,
        "worries": worries(people, len(failed), len(lost), stats, stopped=stopped),
        "store": app.store.about(),
        "store_name": shown_url(app.store.name),
    }


def _undelivered(app: App, rows: Sequence[ContactRow]) -> list[Asked]:
    """What did not reach those who are asked, of the contacts that expire first."""
    if not app.channels:
        return []
    found: list[Asked] = []
    for row in rows:
        try:
            thread = app.thread(row.ref.id, tenant=row.ref.tenant)
        except UnknownThread:  # erased meanwhile
            continue
        found += [asked(row, "not delivered", said) for said in troubles(thread, row.id)]
    return found
