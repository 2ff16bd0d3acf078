"""`/h/{token}`: the page of a link that one person got. To look decides nothing.

Mail scanners open links, and some send off every form. So what a form here may do depends on the
risk: low is settled by the button; medium by the code that the page shows to be copied by hand, in
no field; high nowhere but where somebody is signed in. Nobody has to sign in to look, and a token
that opens nothing is told apart from no other one.
"""

from contextlib import suppress
from functools import partial
from urllib.parse import quote, urlencode

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from twelvefold.app import App
from twelvefold.contacts import contact_named, risk_now
from twelvefold.exceptions import NotAllowed, NotFound, TwelvefoldError, UnknownThread
from twelvefold.links import CHANNEL, CLICKED, TYPED, Link, thread_of, unknown
from twelvefold.server.access import Entrance
from twelvefold.server.pages.answering import answering
from twelvefold.server.pages.decision import SHOWN_AGAIN, found, is_said_twice
from twelvefold.server.pages.decision_view import Asked, Reader, asked_of
from twelvefold.server.pages.filled import text_of
from twelvefold.server.pages.given import Typed, given_of, typed_of
from twelvefold.server.pages.layout import page, see_other
from twelvefold.server.pages.refusals import pages_router, status_of
from twelvefold.server.serving import Serving
from twelvefold.server.whole import whole
from twelvefold.thread import DEFAULT_TENANT


def router(serving: Serving) -> APIRouter:
    routes = pages_router(serving)

    @routes.api_route("/h/{token:path}", methods=["GET", "HEAD"])
    async def show(  # pyright: ignore[reportUnusedFunction]
        request: Request, token: str, tenant: str = DEFAULT_TENANT
    ) -> Response:
        link, asked = await _looked(request, serving, token, tenant)
        return _page(request, serving, link, asked, at=_path(token, tenant))

    @routes.post("/h/{token:path}")
    async def decide(  # pyright: ignore[reportUnusedFunction]
        request: Request, token: str, tenant: str = DEFAULT_TENANT
    ) -> Response:
        data = await request.form()
        link, asked = await _looked(request, serving, token, tenant)
        try:
            given = given_of(data, asked.form)
            await serving.app.answer_by_link(
                token,
                given.decision,
                typed=text_of(data, "typed"),
                comment=given.comment,
                value=given.value,
                tenant=tenant,
            )
        except SHOWN_AGAIN as error:
            link, asked = await run_sync(partial(look, serving.app, token, tenant))
            if not is_said_twice(asked, data):
                typed, at = typed_of(data), _path(token, tenant)
                return _page(request, serving, link, asked, at=at, refused=error, typed=typed)
        return see_other(request, serving, _path(token, tenant))

    return routes


async def _looked(
    request: Request, serving: Serving, token: str, tenant: str
) -> tuple[Link, Asked]:
    """As `look`. Guessing is slowed: at each thread by itself, so that guesses at one keep nobody
    from another, and at all that are none together."""
    trial, door = partial(run_sync, partial(look, serving.app, token, tenant)), serving.access
    if not isinstance(door, Entrance):
        return await trial()
    at = await run_sync(partial(_guessed_at, serving.app, token, tenant))
    return await door.tried(request, token, trial, at=at, wrong=NotFound)


def _guessed_at(app: App, token: str, tenant: str) -> str:
    with suppress(NotAllowed, NotFound):
        thread_id = thread_of(token)
        app.store.epoch(thread_id, tenant=tenant)
        return f"link {tenant}/{thread_id}"
    return "link"


def look(app: App, token: str, tenant: str) -> tuple[Link, Asked]:
    """The link and its contact. Raises `NotFound` for what opens nothing, `NotAllowed` for a link
    that has ended."""
    link = opened(app, token, tenant)
    thread, state, id = found(app, f"{thread_of(token)}.{link.contact}", tenant=tenant)
    contact = contact_named(state, id)
    clicking = app.settles.allows(CLICKED, risk_now(state, contact))
    directory = app.directory(tenant=tenant)
    proof = CLICKED if clicking else TYPED
    reader = Reader(link.person, proof, app.settles, directory, channel=CHANNEL)
    with whole(thread, id):
        return link, asked_of(thread, state, contact, reader, now=app.clock())


def _path(token: str, tenant: str) -> str:
    where = "" if tenant == DEFAULT_TENANT else f"?{urlencode({'tenant': tenant})}"
    return f"/h/{quote(token)}{where}"


def opened(app: App, token: str, tenant: str) -> Link:
    try:
        return app.opened_link(token, tenant=tenant)
    except (UnknownThread, NotAllowed) as error:
        if isinstance(error, NotAllowed) and str(error) != str(unknown()):
            raise
        raise NotFound(str(unknown())) from None


def _page(
    request: Request,
    serving: Serving,
    link: Link,
    asked: Asked,
    *,
    at: str,
    refused: TwelvefoldError | None = None,
    typed: Typed | None = None,
) -> Response:
    clicking = serving.app.settles.allows(CLICKED, asked.risk)
    return page(
        request,
        serving,
        "link.html",
        status=200 if refused is None else status_of(refused),
        now=serving.app.clock(),
        link=link,
        decide_at=serving.at(request, at),
        edit_at="",
        **answering(asked, refused, typed, code="" if clicking else link.code, by_link=True),
    )
