"""Whether the process lives, and whether it can serve."""

from fastapi import APIRouter

from twelvefold.server.problems import ProblemRoute
from twelvefold.server.serving import Serving


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(route_class=ProblemRoute, tags=["health"])

    @routes.get("/livez")
    async def livez() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        """The store answers, too; else 503."""
        return {"status": "ok", "store": serving.app.store.about()}

    return routes
