"""Contacts: what waits for people."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from twelvefold.app import App
from twelvefold.app.names import split_contact
from twelvefold.exceptions import UnknownContact
from twelvefold.policy import Policy, Risk
from twelvefold.reducer import read
from twelvefold.server.api.asked import PAGE, PAGE_MAX, Asked, Cursor
from twelvefold.server.api.contact_shapes import (
    ContactPage,
    ContactShape,
    contact_line,
    contact_shape,
)
from twelvefold.server.api.cursors import cursor_of, place_of
from twelvefold.server.api.replies import contact_etag, shown
from twelvefold.server.api.routing import Routes, Who
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.store import ContactRow, Ref
from twelvefold.thread import Thread, to_iso

LISTED_MAX = 10_000
"""Contacts that one list looks through."""
ME = "me"


class ContactQuery(Asked):
    status: Annotated[Literal["open", "closed", "all"], Field()] = "open"
    to: Annotated[
        str | None, Field(description="Whom it may be decided by: a name, an address, or `me`.")
    ] = None
    risk: Annotated[Risk | None, Field(description="Only contacts of this risk.")] = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE
    cursor: Cursor = None


def router(serving: Serving) -> APIRouter:
    routes, contacts = Routes(serving, "contacts"), Contacts(serving)
    reads = partial(routes.add, "GET", scope="contacts:read")
    reads("/v1/contacts", contacts.many, returns=ContactPage)
    reads(
        "/v1/contacts/{contact_id}",
        contacts.one,
        returns=ContactShape,
        problems=[404],
        etag=True,
    )
    return routes.router


class Contacts:
    def __init__(self, serving: Serving) -> None:
        self.app = serving.app

    async def many(self, who: Who, asked: Annotated[ContactQuery, Query()]) -> Response:
        """Contacts, the nearest deadline first, then the oldest"""
        rows = self._wanted(who, asked)
        if asked.cursor is not None:
            rows = _after(rows, *place_of(asked.cursor, str, str, str))
        page, more = rows[: asked.limit], rows[asked.limit :]
        cursor = cursor_of(*_place(page[-1]), _name(page[-1])) if more else None
        now = self.app.clock()
        return shown({"data": [contact_line(r, now=now) for r in page], "next_cursor": cursor})

    def _wanted(self, who: Principal, asked: ContactQuery) -> list[ContactRow]:
        open_only = asked.status == "open"
        rows = self.app.store.contacts(tenant=who.tenant, open_only=open_only, limit=LISTED_MAX)
        if asked.status == "closed":
            rows = [row for row in rows if row.outcome is not None]
        if asked.risk is not None:
            rows = [row for row in rows if row.data.get("risk", "low") == asked.risk]
        return rows if asked.to is None else self._asked_of(who, asked.to, rows)

    def _asked_of(self, who: Principal, to: str, rows: list[ContactRow]) -> list[ContactRow]:
        directory = self.app.directory(tenant=who.tenant)
        person = directory.person(who.person or "" if to == ME else to)
        policies = [Policy.from_data(row.data["to"]) for row in rows]
        found = zip(rows, policies, strict=True)
        return [row for row, policy in found if policy.allows(person, directory)]

    async def one(self, who: Who, contact_id: str) -> Response:
        """One contact, with all that a person needs to decide"""
        return contact_reply(self.app, contact_id, tenant=who.tenant)


def contact_reply(app: App, contact_id: str, *, tenant: str) -> Response:
    row, thread = found_contact(app, contact_id, tenant=tenant)
    agent = app.agents.get(row.agent)
    return shown(contact_shape(row, thread, agent, now=app.clock()), etag=contact_etag(row))


def found_contact(app: App, contact_id: str, *, tenant: str) -> tuple[ContactRow, Thread]:
    """The contact as the log has it now. Raises `UnknownContact` and `UnknownThread`."""
    thread_id, id = split_contact(contact_id)
    thread = app.thread(thread_id, tenant=tenant)
    contact = read(thread).contacts.get(id)
    if contact is None:
        raise UnknownContact(f"{thread_id} holds no contact {id}. List them: GET /v1/contacts.")
    row = ContactRow(
        Ref(tenant, thread_id),
        thread.agent,
        id,
        contact.asked_at,
        contact.data,
        contact.outcome,
        contact.closed_at,
    )
    return row, thread


def _name(row: ContactRow) -> str:
    return f"{row.ref.id}.{row.id}"


def _place(row: ContactRow) -> tuple[str, str]:
    """Where it stands in the list; those without a deadline last."""
    return row.data.get("deadline") or "~", to_iso(row.asked_at)


def _after(rows: Sequence[ContactRow], deadline: str, asked_at: str, name: str) -> list[ContactRow]:
    """What comes after a contact that may have gone meanwhile."""
    for at, row in enumerate(rows):
        if _name(row) == name:
            return list(rows[at + 1 :])
    return [row for row in rows if _place(row) >= (deadline, asked_at)]
