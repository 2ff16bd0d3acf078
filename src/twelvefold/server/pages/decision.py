"""`/contacts/{id}`: one contact, all that is needed to decide it, and the buttons.

What is bound is the digest that was shown. So a message or the record of a delivery that comes in
between changes nothing for who decides, and another argument does.
"""

from functools import partial
from typing import Any
from urllib.parse import quote

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from twelvefold.app import App
from twelvefold.app.names import split_contact
from twelvefold.contacts import contact_named
from twelvefold.exceptions import (
    Conflict,
    InvalidAnswer,
    NotAllowed,
    TwelvefoldError,
    UnknownAgent,
    UnknownContact,
    UnknownThread,
)
from twelvefold.reducer import read
from twelvefold.server.pages.answering import answering
from twelvefold.server.pages.decision_view import CHANNEL, Asked, Reader, asked_of
from twelvefold.server.pages.filled import text_of
from twelvefold.server.pages.given import Given, Typed, given_of, typed_of
from twelvefold.server.pages.inbox import first_of
from twelvefold.server.pages.inbox_view import Line
from twelvefold.server.pages.layout import page, see_other
from twelvefold.server.pages.refusals import pages_router, status_of
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.server.whole import whole
from twelvefold.state import State
from twelvefold.thread import Thread

SHOWN_AGAIN = (Conflict, InvalidAnswer, NotAllowed)
"""Refusals that are shown on the page of the contact, with what the person typed."""
SAME_AGAIN = frozenset({"approve", "run_again", "give_up"})
"""Decisions that mean the same each time, whatever else stands in the form."""


def router(serving: Serving) -> APIRouter:
    routes = pages_router(serving)

    @routes.get("/contacts/{contact_id:path}")
    async def show(request: Request, contact_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        who = await serving.who(request, "contacts:read")
        asked = await run_sync(partial(look, serving.app, contact_id, who))
        next = await run_sync(partial(first_of, serving.app, who)) if asked.ended else None
        return decision_page(request, serving, who, asked, next=next)

    @routes.post("/contacts/{contact_id:path}")
    async def decide(request: Request, contact_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        who = await serving.who(request, "contacts:answer")
        data = await request.form()
        asked = await run_sync(partial(look, serving.app, contact_id, who))
        try:
            await answer(serving.app, contact_id, given_of(data, asked.form), who)
        except SHOWN_AGAIN as error:
            asked = await run_sync(partial(look, serving.app, contact_id, who))
            if not is_said_twice(asked, data):
                typed = typed_of(data)
                return decision_page(request, serving, who, asked, refused=error, typed=typed)
        return see_other(request, serving, contact_path(contact_id))

    return routes


def is_said_twice(asked: Asked, data: FormData) -> bool:
    """Whether this person has said the very same already: a button was pressed twice."""
    said = text_of(data, "decision")
    return said in SAME_AGAIN and asked.mine is not None and asked.mine.decision == said


async def answer(app: App, contact_id: str, given: Given, who: Principal) -> None:
    """Raises as `App.answer` does, and `NotAllowed` for a machine."""
    if who.person is None:
        raise NotAllowed(f"{who.name} is nobody in particular: people decide. Nothing was done.")
    await app.answer(
        contact_id,
        given.decision,
        by=who.person,
        comment=given.comment,
        value=given.value,
        changes=given.changes,
        digest=given.digest,
        channel=CHANNEL,
        assurance=who.assurance,
        tenant=who.tenant,
    )


def decision_page(
    request: Request,
    serving: Serving,
    who: Principal,
    asked: Asked,
    *,
    next: Line | None = None,
    refused: TwelvefoldError | None = None,
    typed: Typed | None = None,
) -> Response:
    """The page of a contact as it is now, under what was refused, if anything was. `next`: what
    else waits for this person."""
    at = serving.at(request, contact_path(asked.id))
    return page(
        request,
        serving,
        "decision.html",
        who=who,
        status=200 if refused is None else status_of(refused),
        now=serving.app.clock(),
        decide_at=at,
        edit_at=f"{at}/edit" if asked.can_edit else "",
        next=next,
        **answering(asked, refused, typed),
    )


def look(app: App, contact_id: str, who: Principal) -> Asked:
    """The contact, as this person may see it. Raises `UnknownContact`, and `Conflict` for one that
    is not whole."""
    thread, state, id = found(app, contact_id, tenant=who.tenant)
    reader = Reader(
        who.person or who.name, who.assurance, app.settles, app.directory(tenant=who.tenant)
    )
    with whole(thread, id):
        return asked_of(thread, state, contact_named(state, id), reader, now=app.clock())


def found(app: App, contact_id: str, *, tenant: str) -> tuple[Thread, State[Any], str]:
    """Its thread and state, and its id there. A thread whose agent is gone can still be read."""
    try:
        thread_id, id = split_contact(contact_id)
        thread = app.thread(thread_id, tenant=tenant)
    except (UnknownThread, UnknownContact):
        raise _nothing(contact_id) from None
    try:
        state = app.state(thread)
    except UnknownAgent:
        state = read(thread)
    if id not in state.contacts:
        raise _nothing(contact_id)
    return thread, state, id


def contact_path(contact_id: str) -> str:
    """Threads are called what people call them: `a b?`, or `orders/7`."""
    return f"/contacts/{quote(contact_id)}"


def _nothing(contact_id: str) -> UnknownContact:
    return UnknownContact(
        f"There is no {contact_id} here. It was erased, or the address is not whole: open it from"
        " the inbox, or from the newest message about it."
    )
