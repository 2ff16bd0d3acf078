"""Whether the process lives, and whether it can serve; and what refusals there are."""

from anyio import to_thread
from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from twelvefold.server.api.describing import TwelvefoldProblem, refusal
from twelvefold.server.api.replies import shown
from twelvefold.server.api.routing import bound_route
from twelvefold.server.problems import STATUSES, TYPES
from twelvefold.server.serving import Serving


class Lives(TypedDict):
    status: str


class Catalogue(TypedDict):
    data: list[TwelvefoldProblem]


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(route_class=bound_route(serving), tags=["health"])
    health = Health(serving)
    add = routes.add_api_route
    add("/livez", health.livez, response_model=Lives, summary="The process answers")
    add(
        "/readyz",
        health.readyz,
        response_model=Lives,
        summary="The store answers, too",
        responses={each: refusal(each) for each in (500, 503, 507)},
    )
    add(
        "/v1/problems",
        health.problems,
        response_model=Catalogue,
        summary="What a refusal can be",
        description="Each `type` with its status, and what to do about it.",
    )
    return routes


class Health:
    def __init__(self, serving: Serving) -> None:
        self.app = serving.app

    async def livez(self) -> Response:
        return shown({"status": "ok"})

    async def readyz(self) -> Response:
        # A read: strangers may ask, and must not queue for the lock of those who write.
        await to_thread.run_sync(self.app.store.has_keys)
        return shown({"status": "ok"})

    async def problems(self) -> Response:
        found = [
            {
                "type": TYPES + type,
                "title": type.replace("-", " ").capitalize(),
                "status": status,
                "detail": " ".join((cls.__doc__ or "").split()),
                "retryable": retryable,
            }
            for cls, status, type, retryable in STATUSES
        ]
        return shown({"data": found})
