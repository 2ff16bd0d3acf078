"""Puts the routes together: alone, mounted, or in somebody else's application."""

from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from twelvefold import __version__
from twelvefold.app import App
from twelvefold.server import health, metrics
from twelvefold.server.access import Entrance, Rates, Way
from twelvefold.server.access.around import Around
from twelvefold.server.access.dressing import dress_plain, dressed
from twelvefold.server.api import agents, contacts, deciding, inspecting, threads, triggers, verbs
from twelvefold.server.pages import context as context_page
from twelvefold.server.pages import decision, editing, files, inbox, links, visiting
from twelvefold.server.pages import health as health_page
from twelvefold.server.pages import thread as thread_page
from twelvefold.server.pages import threads as threads_page
from twelvefold.server.pages.refusals import lost
from twelvefold.server.problems import http_problem, invalid
from twelvefold.server.runner import lifespan
from twelvefold.server.serving import Options, Serving
from twelvefold.server.streams import routes as streams

PARTS = (
    health.router,
    metrics.router,
    threads.router,
    verbs.router,
    contacts.router,
    deciding.router,
    inspecting.router,
    agents.router,
    triggers.router,
)
PAGES = (
    files.router,
    inbox.router,
    editing.router,  # whose paths those of a contact would take
    decision.router,
    links.router,
    threads_page.router,
    thread_page.router,
    context_page.router,
    health_page.router,
    visiting.router,
    streams.router,
)


def router(app: App, *, access: Way | None = None, **options: Any) -> APIRouter:
    return _routes(_serving(app, access, Options(**options)))


def create_app(
    app: App, *, access: Way | None = None, runner: bool = False, **options: Any
) -> FastAPI:
    serving = _serving(app, access, Options(**options))
    served = FastAPI(
        title="twelvefold",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan(app) if runner else None,
    )
    served.state.serving = serving
    served.include_router(_routes(serving))
    dress_plain(served.routes)
    served.add_exception_handler(HTTPException, _refused)
    served.add_exception_handler(RequestValidationError, _invalid)
    return served


def _serving(app: App, access: Way | None, options: Options) -> Serving:
    return Serving(app, _entrance(app, access, options), options)


def _routes(serving: Serving) -> APIRouter:
    routes = APIRouter(prefix=serving.options.prefix)
    for part in PARTS + PAGES if serving.options.inbox else PARTS:
        routes.include_router(part(serving))
    return routes


def _entrance(app: App, way: Way | None, options: Options) -> Entrance:
    if isinstance(way, Entrance):
        return way
    around = Around(app, options.signing_key, options.prefix, options.https)
    rates = Rates(
        requests_per_minute_max=options.requests_per_minute_max,
        failures_per_minute_max=options.failures_per_minute_max,
    )
    return Entrance(around, way, rates)


async def _refused(request: Request, error: Exception) -> Response:
    wrong = cast(HTTPException, error)
    page = lost(request, request.app.state.serving) if wrong.status_code == 404 else None
    return dressed(request, page or http_problem(wrong))


async def _invalid(request: Request, error: Exception) -> Response:
    return dressed(request, invalid(cast(RequestValidationError, error)))
