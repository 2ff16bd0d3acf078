"""The page of one thread: its timeline, one event in all detail, the thread as it was at any event,
and what can be done to it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import APIRouter, Form, Query, Request, Response

from twelvefold.exceptions import InvalidAnswer, NotFound
from twelvefold.server.pages.layout import page, see_other
from twelvefold.server.pages.refusals import pages_router
from twelvefold.server.pages.rows import Show
from twelvefold.server.pages.thread_view import Asked, path_of, thread_view
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving

SEARCH_CHARS_MAX = 200

Verb = Literal["pause", "resume", "retry", "cancel", "message"]


def router(serving: Serving) -> APIRouter:
    routes, app = pages_router(serving), serving.app

    @routes.get("/threads/{thread_id}")
    async def thread(  # pyright: ignore[reportUnusedFunction]
        request: Request,
        thread_id: str,
        at: Annotated[int | None, Query(ge=1)] = None,
        seq: Annotated[int | None, Query(ge=1)] = None,
        number: Annotated[int | None, Query(ge=1, alias="page")] = None,
        show: Show = "all",
        q: Annotated[str, Query(max_length=SEARCH_CHARS_MAX)] = "",
    ) -> Response:
        who = await serving.access.principal(request)
        who.needs("threads:read")
        load = partial(app.thread, thread_id, tenant=who.tenant)
        log = await anyio.to_thread.run_sync(load)  # ten thousand events are not read at once
        if max(at or 0, seq or 0) > log.head:
            raise NotFound(f"{thread_id} has events 1 to {log.head}. Choose one of them.")
        row = app.store.thread_row(thread_id, tenant=who.tenant)
        asked = Asked(at=at, seq=seq, page=number, show=show, search=q)
        view = thread_view(log, row, asked, now=app.clock())
        may = "threads:write" in who.scopes
        return page(request, serving, "thread.html", who=who, view=view, may_write=may)

    @routes.post("/threads/{thread_id}/{verb}")
    async def act(  # pyright: ignore[reportUnusedFunction]
        request: Request,
        thread_id: str,
        verb: Verb,
        text: Annotated[str, Form()] = "",
    ) -> Response:
        who = await serving.access.principal(request)
        who.needs("threads:write")
        await _verbs(serving, who, text.strip())[verb](thread_id)
        return see_other(request, serving, path_of(thread_id))

    return routes


def _verbs(
    serving: Serving, who: Principal, text: str
) -> dict[Verb, Callable[[str], Awaitable[None]]]:
    app, by, tenant = serving.app, who.name, who.tenant

    async def message(thread_id: str) -> None:
        if not text:
            raise InvalidAnswer("A message needs some words. Nothing was done.")
        await app.send(thread_id, text, sender=by, tenant=tenant)

    return {
        "pause": partial(app.pause, by=by, tenant=tenant),
        "resume": partial(app.resume, by=by, tenant=tenant),
        "retry": partial(app.retry, by=by, tenant=tenant),
        "cancel": partial(app.cancel, by=by, reason=text, tenant=tenant),
        "message": message,
    }
