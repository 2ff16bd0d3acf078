"""Where providers deliver: Slack, mail services, repositories, anybody with a signature.

No key is asked for: the channel checks who signed the raw body, before anything reads it.
"""

from fastapi import APIRouter, Request, Response

from twelvefold.inbound import Inbound
from twelvefold.server.api.routing import bound_route, refusal
from twelvefold.server.serving import Serving

REFUSALS = (401, 404, 413, 422, 500, 503, 507)


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(route_class=bound_route(serving), tags=["triggers"])
    described = {status: refusal(status) for status in REFUSALS}

    @routes.post("/v1/triggers/{source}", responses=described, response_class=Response)  # pyright: ignore[reportArgumentType]
    async def triggers(source: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """What a provider delivers

        `source` names a channel of the application, which checks the signature of the raw body. It
        is answered when what came in is durable; the work goes on. A delivery that comes twice
        changes nothing.
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        inbound = Inbound(await request.body(), headers, str(request.url))
        _, reply = await serving.app.receive(source, inbound)
        return Response(reply.body, reply.status, media_type=reply.content_type)

    return routes
