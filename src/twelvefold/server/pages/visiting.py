"""Signing in and out: by a link that is used once, or by a key that is typed into a form.

The token of a link leaves the address at once: what answers is a redirect.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from twelvefold.exceptions import NotSignedIn
from twelvefold.keys import Key, hashed
from twelvefold.server.access import Entrance
from twelvefold.server.access.forgery import refuse_other_sites
from twelvefold.server.access.keys import opened
from twelvefold.server.access.tokens import PARAMETER, PATH, spent
from twelvefold.server.access.visits import begin_visit, end_visit
from twelvefold.server.pages.layout import see_other
from twelvefold.server.pages.refusals import pages_router
from twelvefold.server.pages.sign_in import AFTER, form_of, sign_in_page
from twelvefold.server.serving import Serving

PREFETCH = ("sec-purpose", "purpose", "x-moz")


def router(serving: Serving) -> APIRouter:
    routes = pages_router(serving)
    visiting = Visiting(serving)
    routes.add_api_route(PATH, visiting.look, methods=["GET"])
    routes.add_api_route(PATH, visiting.sign_in, methods=["POST"])
    routes.add_api_route("/sign-out", visiting.sign_out, methods=["POST"])
    return routes


class Visiting:
    def __init__(self, serving: Serving) -> None:
        self.serving = serving

    @property
    def door(self) -> Entrance:
        door = self.serving.access
        if not isinstance(door, Entrance):
            raise NotSignedIn("Nobody signs in here: whoever made this server lets people in.")
        return door

    async def look(self, request: Request) -> Response:
        token = request.query_params.get(PARAMETER)
        if token is None:
            return sign_in_page(request, self.serving, status=200)
        if any("prefetch" in request.headers.get(name, "") for name in PREFETCH):
            return Response(status_code=204)  # nobody looks yet, and the token opens only once
        here = self.door.enter(request)
        key = await self.door.tried(request, token, lambda: spent(token, here))
        begin_visit(request, person=str(key.person), tenant=key.tenant)
        return see_other(request, self.serving, AFTER)

    async def sign_in(self, request: Request) -> Response:
        refuse_other_sites(request)  # else others could sign a browser in as themselves
        here = self.door.enter(request)
        token, after = form_of(await request.form())
        try:
            key = await self.door.tried(request, token, lambda: opened(token, here))
            person = _person_of(key)
        except NotSignedIn as error:
            return sign_in_page(request, self.serving, said=str(error), after=after)
        begin_visit(request, person=person, tenant=key.tenant, key=key.id, secret=hashed(token))
        return see_other(request, self.serving, after)

    async def sign_out(self, request: Request) -> Response:
        await self.door.principal(request)  # which refuses the form of another site
        end_visit(request)
        return RedirectResponse(self.serving.at(request, PATH), 303)


def _person_of(key: Key) -> str:
    if key.person is None:
        raise NotSignedIn(
            f"The key {key.id} is a machine's. People sign in with a key of their own:"
            " `twelvefold keys create NAME --person YOU`."
        )
    return key.person
