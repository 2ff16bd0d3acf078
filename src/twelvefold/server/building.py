"""Puts the routes together: alone, mounted, or in somebody else's application."""

from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from twelvefold import __version__
from twelvefold.app import App
from twelvefold.server import health
from twelvefold.server.access import Loopback
from twelvefold.server.api import contacts, deciding, threads, verbs
from twelvefold.server.pages import files
from twelvefold.server.problems import http_problem, invalid
from twelvefold.server.serving import Access, Options, Serving

PARTS = (
    health.router,
    threads.router,
    verbs.router,
    contacts.router,
    deciding.router,
)
PAGES = (files.router,)


def router(app: App, *, access: Access | None = None, **options: Any) -> APIRouter:
    serving = Serving(app, access or Loopback(), Options(**options))
    routes = APIRouter(prefix=serving.options.prefix)
    for part in PARTS + PAGES if serving.options.inbox else PARTS:
        routes.include_router(part(serving))
    return routes


def create_app(app: App, *, access: Access | None = None, **options: Any) -> FastAPI:
    served = FastAPI(title="twelvefold", version=__version__, docs_url=None, redoc_url=None)
    served.include_router(router(app, access=access, **options))
    served.add_exception_handler(HTTPException, _refused)
    served.add_exception_handler(RequestValidationError, _invalid)
    return served


async def _refused(_: Request, error: Exception) -> Response:
    return http_problem(cast(HTTPException, error))


async def _invalid(_: Request, error: Exception) -> Response:
    return invalid(cast(RequestValidationError, error))
