"""What people say to contacts: answer, reassign, escalate, remind.

A message or the record of a delivery that arrives meanwhile lets an answer through; a contact that
has changed or ended does not. Whoever approves sends the digest of what was shown.
"""

from functools import partial
from typing import Annotated, Any, cast, get_args

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, Field

from twelvefold.contacts import Decision
from twelvefold.exceptions import InvalidAnswer, NotPermitted
from twelvefold.server.api.asked import Asked
from twelvefold.server.api.contact_shapes import ContactShape
from twelvefold.server.api.contacts import contact_reply, found_contact
from twelvefold.server.api.once import turn_of
from twelvefold.server.api.replies import contact_etag, expect_etag
from twelvefold.server.api.routing import Routes, Who
from twelvefold.server.api.waiting import Waiting, rested
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.store import ContactRow
from twelvefold.thread import Json

TEXT_CHARS_MAX = 100_000
NAME_CHARS_MAX = 500

Text = Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]


class Said(Asked):
    """One of `decision`, `answer` and `choice`.

    `{"decision": "approve", "digest": ...}`; `{"decision": "deny", "comment": ...}`;
    `{"decision": "edit", "edits": {...}, "digest": ...}`; `{"answer": ...}` to a question;
    `{"choice": "name of an option"}`; `{"decision": "it_ran", "answer": what it returned}`.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"decision": "deny", "comment": "deploy the backend first"},
                {"answer": "the one in Berlin"},
            ]
        },
    )
    decision: Decision | None = None
    answer: Any = None
    choice: Name | None = None
    comment: Text | None = None
    edits: dict[str, Any] | None = None
    digest: Name | None = None


class ToOther(Asked):
    """`to` is asked in the place of `instead_of`; without that, in your own."""

    to: Name
    instead_of: Annotated[str, Field(max_length=NAME_CHARS_MAX)] = ""
    comment: Text | None = None


class Why(Asked):
    """Kept in the log."""

    comment: Text | None = None


def router(serving: Serving) -> APIRouter:
    routes, deciding = Routes(serving, "contacts"), Deciding(serving)
    says = partial(
        routes.add,
        "POST",
        scope="contacts:answer",
        returns=ContactShape,
        problems=[404, 410, 412],
        etag=True,
    )
    says("/v1/contacts/{contact_id}/answer", deciding.answer)
    says("/v1/contacts/{contact_id}/reassign", deciding.reassign)
    says("/v1/contacts/{contact_id}/escalate", deciding.escalate)
    says("/v1/contacts/{contact_id}/remind", deciding.remind)
    return routes.router


class Deciding:
    def __init__(self, serving: Serving) -> None:
        self.serving, self.app = serving, serving.app

    async def answer(
        self,
        request: Request,
        who: Who,
        contact_id: str,
        body: Said,
        asked: Annotated[Waiting, Query()],
    ) -> Response:
        """Decide a contact

        It answers when the decision is durable. 409 says who decided before you, when and where.
        """
        decision, value = decided(body)
        said = {"by": person(who), "decision": decision}
        row = await self._seen(request, who, contact_id)
        if not self._was_done(request, row, "contact_answered", **said):
            expect_digest(row, decision, body.digest)
            await self.app.answer(
                contact_id,
                decision,
                by=person(who),
                comment=body.comment,
                value=value,
                changes=body.edits,
                digest=body.digest,
                assurance=who.assurance,
                tenant=who.tenant,
            )
        await rested(self.serving, row.ref.id, tenant=who.tenant, wait_s=asked.wait_s)
        return await self._now(who, contact_id)

    async def reassign(
        self, request: Request, who: Who, contact_id: str, body: ToOther
    ) -> Response:
        """Let somebody else be asked instead"""
        by, row = person(who), await self._seen(request, who, contact_id)
        if not self._was_done(request, row, "contact_reassigned", by=by):
            await self.app.reassign(
                contact_id,
                to=body.to,
                by=by,
                instead_of=body.instead_of,
                comment=body.comment,
                assurance=who.assurance,
                tenant=who.tenant,
            )
        return await self._now(who, contact_id)

    async def escalate(
        self, request: Request, who: Who, contact_id: str, body: Why | None = None
    ) -> Response:
        """Ask those now whom the deadline would ask

        Instead of who is asked, once, with a deadline of their own. For whoever decides it alone,
        and who may decide for the agent's owner.
        """
        by, row = person(who), await self._seen(request, who, contact_id)
        if not self._was_done(request, row, "contact_escalated", by=by):
            await self.app.escalate(
                contact_id,
                by=by,
                comment=None if body is None else body.comment,
                assurance=who.assurance,
                tenant=who.tenant,
            )
        return await self._now(who, contact_id)

    async def remind(self, request: Request, who: Who, contact_id: str) -> Response:
        """Ask those who are asked once more"""
        row = await self._seen(request, who, contact_id)
        if not self._was_done(request, row, "contact_reminded", by=who.name):
            await self.app.remind(contact_id, by=who.name, tenant=who.tenant)
        return await self._now(who, contact_id)

    async def _now(self, who: Principal, contact_id: str) -> Response:
        return await run_sync(partial(contact_reply, self.app, contact_id, tenant=who.tenant))

    async def _seen(self, request: Request, who: Principal, contact_id: str) -> ContactRow:
        """The contact, if it is what the client saw. One that has ended says so by itself."""
        found = partial(found_contact, self.app, contact_id, tenant=who.tenant)
        row, _ = await run_sync(found)
        if row.outcome is None and turn_of(request).began is None:
            expect_etag(request, contact_etag(row), contact_id)
        return row

    def _was_done(self, request: Request, row: ContactRow, type: str, **data: Json) -> bool:
        """Whether a process that died had done it already."""
        turn = turn_of(request)
        if turn.began is None:
            return False
        thread = self.app.thread(row.ref.id, tenant=row.ref.tenant)
        return turn.is_done(thread, type, contact=row.id, **data)


def person(who: Principal) -> str:
    """Raises `NotPermitted` for a machine."""
    if who.person is None:
        raise NotPermitted(
            f"{who.name} is no person, and people decide. Use a key that is bound to a person, or"
            " sign in. Nothing was done."
        )
    return who.person


def decided(said: Said) -> tuple[Decision, Json]:
    """The decision, and what belongs to it. Raises `InvalidAnswer`."""
    given = said.model_fields_set
    if said.choice is not None:
        if said.decision not in (None, "choose") or said.answer is not None:
            raise _wrong("choice", "stands alone")
        return "choose", said.choice
    if said.decision == "choose":
        raise _wrong("choice", "is the name of an option")
    if said.decision is None:
        if "answer" not in given:
            words = ", ".join(cast("tuple[str, ...]", get_args(Decision)))
            raise _wrong("decision", f"is one of {words}; or send `answer`, or `choice`")
        return "answer", said.answer
    if said.answer is not None and said.decision not in ("answer", "it_ran"):
        raise _wrong("answer", f"does not belong to {said.decision}")
    return said.decision, said.answer


def expect_digest(row: ContactRow, decision: Decision, digest: str | None) -> None:
    """A yes is for what was seen. Raises `InvalidAnswer`."""
    if decision in ("approve", "edit") and row.data.get("digest") and digest is None:
        raise _wrong("digest", f"is that of GET /v1/contacts/{row.ref.id}.{row.id}, as you saw it")


def _wrong(field: str, what: str) -> InvalidAnswer:
    return InvalidAnswer(f"{field}: {what}. Nothing was done.", errors={field: what})
