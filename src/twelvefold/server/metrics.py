"""GET /metrics: what Prometheus scrapes, where the application has a `Metrics` as an observer."""

from fastapi import APIRouter, Request, Response

from twelvefold.exceptions import NotFound, StoreError
from twelvefold.loop import Stats
from twelvefold.server.api.routing import bound_route
from twelvefold.server.serving import Serving
from twelvefold.telemetry import Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CONTACTS_COUNTED_MAX = 10_000


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(route_class=bound_route(serving), tags=["health"])

    @routes.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """What this process has done, and what waits in the tenant of the key."""
        who = await serving.who(request, "admin")
        app = serving.app
        watching = () if app.observers is None else app.observers.all
        counting = next((one for one in watching if isinstance(one, Metrics)), None)
        if counting is None:
            raise NotFound("No metrics are counted here: App(observers=[Metrics()]).")
        contacts = app.store.contacts(tenant=who.tenant, limit=CONTACTS_COUNTED_MAX)
        text = counting.text(contacts, _stats(serving), now=app.clock())
        return Response(text, media_type=CONTENT_TYPE)

    return routes


def _stats(serving: Serving) -> Stats | None:
    try:
        return serving.app.new_engine().stats()
    except StoreError:
        return None
