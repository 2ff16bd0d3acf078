"""Contacts: what waits for people."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from twelvefold.app import App
from twelvefold.app.names import split_contact
from twelvefold.exceptions import InvalidRequest, UnknownContact
from twelvefold.policy import Policy, Risk
from twelvefold.reducer import read
from twelvefold.server.api.asked import PAGE, PAGE_MAX, Asked, Cursor
from twelvefold.server.api.contact_shapes import (
    ContactPage,
    ContactShape,
    contact_line,
    contact_shape,
)
from twelvefold.server.api.cursors import cursor_of, no_cursor, place_of
from twelvefold.server.api.describing import linked
from twelvefold.server.api.replies import contact_etag, shown
from twelvefold.server.api.routing import Routes, Who
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.server.whole import whole
from twelvefold.store import ContactRow as Row
from twelvefold.store import Ref
from twelvefold.thread import Thread, canonical

BATCH = 500
LOOKS_MAX = 20
"""So many batches of rows are looked through for one page."""
ME = "me"

OF_A_CONTACT = (
    *("contacts_one", "contacts_reassign", "contacts_escalate", "contacts_remind"),
    "contacts_answer",
)
YES = {"decision": "approve", "digest": "$response.body#/digest"}


class ContactQuery(Asked):
    status: Annotated[Literal["open", "closed", "all"], Field()] = "open"
    to: Annotated[
        str | None, Field(description="Whom it may be decided by: a name, an address, or `me`.")
    ] = None
    agent: Annotated[str | None, Field(description="Only contacts of this agent.")] = None
    risk: Annotated[Risk | None, Field(description="Only contacts of this risk.")] = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = PAGE
    cursor: Cursor = None


def router(serving: Serving) -> APIRouter:
    routes, contacts = Routes(serving, "contacts"), Contacts(serving)
    reads = partial(routes.add, "GET", scope="contacts:read")
    first = linked("contact_id", "data/0/id", *OF_A_CONTACT)
    reads("/v1/contacts", contacts.many, returns=ContactPage, links=first)
    reads(
        "/v1/contacts/{contact_id}",
        contacts.one,
        returns=ContactShape,
        problems=[404, 409],
        etag=True,
        links=linked("contact_id", "id", "contacts_answer", body=YES),
    )
    return routes.router


class Contacts:
    def __init__(self, serving: Serving) -> None:
        self.app = serving.app

    def many(self, who: Who, asked: Annotated[ContactQuery, Query()]) -> Response:
        """Contacts: the open ones by deadline, then by age; the closed ones from the newest end"""
        after = "" if asked.cursor is None else _place(asked)
        rows, after = self._page(who, asked, after)
        now = self.app.clock()
        cursor = cursor_of(asked.status, after) if after else None
        return shown({"data": [contact_line(r, now=now) for r in rows], "next_cursor": cursor})

    def _page(self, who: Principal, asked: ContactQuery, after: str) -> tuple[list[Row], str]:
        """The rows, and where the next page begins; "" at the end of the list."""
        may, batch = self._may(who, asked), asked.limit + 1 if asked.to is None else BATCH
        found: list[Row] = []
        for _ in range(LOOKS_MAX):
            rows = self._rows(who, asked, after, batch)
            for row in rows:
                if len(found) == asked.limit:
                    return found, after
                after = row.place
                found += [row] if may(row) else []
            if len(rows) < batch:
                return found, ""
        return found, after  # a short page: the rest of a long list is looked through by the next

    def _rows(self, who: Principal, asked: ContactQuery, after: str, batch: int) -> list[Row]:
        store, wanted = self.app.store, {"agent": asked.agent, "risk": asked.risk}
        try:
            if asked.status == "closed":
                return store.closed(tenant=who.tenant, limit=batch, after=after, **wanted)
            open_only = asked.status == "open"
            return store.contacts(
                tenant=who.tenant, open_only=open_only, limit=batch, after=after, **wanted
            )
        except InvalidRequest:
            raise no_cursor() from None

    def _may(self, who: Principal, asked: ContactQuery) -> Callable[[Row], bool]:
        """Whether a contact is asked of those who are wanted. Many contacts have one policy."""
        if asked.to is None:
            return lambda row: True
        directory = self.app.directory(tenant=who.tenant)
        person = directory.person(who.person or "" if asked.to == ME else asked.to)
        known: dict[str, bool] = {}

        def may(row: Row) -> bool:
            policy = canonical(row.data["to"])
            if policy not in known:
                known[policy] = Policy.from_data(row.data["to"]).allows(person, directory)
            return known[policy]

        return may

    def one(self, who: Who, contact_id: str) -> Response:
        """One contact, with all that a person needs to decide"""
        return contact_reply(self.app, contact_id, tenant=who.tenant)


def contact_reply(app: App, contact_id: str, *, tenant: str) -> Response:
    row, thread = found_contact(app, contact_id, tenant=tenant)
    agent = app.agents.get(row.agent)
    with whole(thread, row.id):
        shape = contact_shape(row, thread, agent, now=app.clock())
    return shown(shape, etag=contact_etag(row))


def found_contact(app: App, contact_id: str, *, tenant: str) -> tuple[Row, Thread]:
    """The contact as the log has it now. Raises `UnknownContact` and `UnknownThread`."""
    thread_id, id = split_contact(contact_id)
    thread = app.thread(thread_id, tenant=tenant)
    contact = read(thread).contacts.get(id)
    if contact is None:
        raise UnknownContact(f"{thread_id} holds no contact {id}. List them: GET /v1/contacts.")
    row = Row(
        Ref(tenant, thread_id),
        thread.agent,
        id,
        contact.asked_at,
        contact.data,
        contact.outcome,
        contact.closed_at,
    )
    return row, thread


def _place(asked: ContactQuery) -> str:
    status, place = place_of(asked.cursor or "", str, str)
    if status != asked.status:
        raise no_cursor()
    return place
