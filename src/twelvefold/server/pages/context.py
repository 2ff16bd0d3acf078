"""The page of a context: what the model was sent, or would be sent next, to the byte."""

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from twelvefold.context.tokens import estimate
from twelvefold.exceptions import NotFound
from twelvefold.server.pages.context_view import KINDS, ContextView, context_view, kind_of, name_of
from twelvefold.server.pages.layout import page
from twelvefold.server.pages.refusals import pages_router
from twelvefold.server.pages.thread_view import path_of
from twelvefold.server.serving import Serving


def router(serving: Serving) -> APIRouter:
    routes, app = pages_router(serving), serving.app

    @routes.get("/threads/{thread_id}/context")
    async def context(  # pyright: ignore[reportUnusedFunction]
        request: Request, thread_id: str, at: Annotated[int | None, Query(ge=1)] = None
    ) -> Response:
        who = await serving.access.principal(request)
        who.needs("threads:read")

        def made() -> ContextView:
            log = app.thread(thread_id, tenant=who.tenant)
            if (at or 0) > log.head:
                raise NotFound(f"{thread_id} has events 1 to {log.head}. Choose one of them.")
            load = partial(app.store.kept, tenant=who.tenant)
            model = app.surroundings.model
            return context_view(log, app.agent(log.agent), at, model=model, load=load)

        view = await anyio.to_thread.run_sync(made)  # decide and prompts are the user's code
        return page(
            request,
            serving,
            "context.html",
            who=who,
            view=view,
            path=path_of(thread_id),
            kinds=KINDS,
            kind_of=kind_of,
            name_of=name_of,
            estimate=estimate,
        )

    return routes
