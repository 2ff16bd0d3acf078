"""The files that pages need, for everybody: no one has to sign in for a style sheet."""

from fastapi import APIRouter, Request, Response

from twelvefold.exceptions import NotFound
from twelvefold.server.pages.assets import assets
from twelvefold.server.pages.layout import see_other
from twelvefold.server.pages.refusals import pages_router
from twelvefold.server.serving import Serving

FOR_EVER = "public, max-age=31536000, immutable"


def router(serving: Serving) -> APIRouter:
    routes = pages_router(serving)

    @routes.get("/static/{hashed}/{name}")
    async def static(hashed: str, name: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        asset = assets().get(name)
        if asset is None or asset.hashed != hashed:
            raise NotFound("There is no such file in this version. Load the page again.")
        headers = {"Cache-Control": FOR_EVER, "X-Content-Type-Options": "nosniff"}
        return Response(asset.content, 200, headers, media_type=asset.type)

    @routes.get("/")
    async def first(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        return see_other(request, serving, "/inbox")

    return routes
