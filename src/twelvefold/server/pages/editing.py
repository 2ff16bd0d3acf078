"""`/contacts/{id}/edit`: the arguments of a step in fields, and what would change before it does.

An edit is the yes of whoever makes it. Without JavaScript the changes are looked at on a page of
their own; with it they stand beside the fields while somebody types.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from twelvefold.app import App
from twelvefold.contacts import contact_named
from twelvefold.exceptions import Conflict, InvalidAnswer, NotAllowed, TwelvefoldError
from twelvefold.server.api.contact_shapes import without_intent
from twelvefold.server.pages.answering import placed_errors, refusal_said
from twelvefold.server.pages.decision import answer, contact_path, decision_page, found, look
from twelvefold.server.pages.decision_view import Asked
from twelvefold.server.pages.fields import Field, fields_of
from twelvefold.server.pages.filled import Filled, read, text_of
from twelvefold.server.pages.given import Given, Typed, typed_of
from twelvefold.server.pages.layout import page, see_other
from twelvefold.server.pages.refusals import pages_router, status_of
from twelvefold.server.pages.values import Shown, shown
from twelvefold.server.principal import Principal
from twelvefold.server.serving import Serving
from twelvefold.steps import arg_names, changed_args
from twelvefold.thread import Json


@dataclass(frozen=True, slots=True)
class Editing:
    """A step as it can be changed. `gone`: what was called so, and is no argument any more."""

    asked: Asked
    cls: type[Any]
    args: Mapping[str, Json]
    fields: Sequence[Field]
    gone: Sequence[str]


@dataclass(frozen=True, slots=True)
class Change:
    """One argument, as it was and as it would be."""

    name: str
    was: Shown
    becomes: Shown


def router(serving: Serving) -> APIRouter:
    routes = pages_router(serving)

    @routes.get("/contacts/{contact_id:path}/edit")
    async def edit(request: Request, contact_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        who = await serving.who(request, "contacts:answer")
        editing = await run_sync(partial(editable, serving.app, contact_id, who))
        if editing.asked.ended or editing.asked.barred or editing.asked.mine:
            return see_other(request, serving, contact_path(contact_id))
        return _fields_page(request, serving, who, editing)

    @routes.post("/contacts/{contact_id:path}/edit")
    async def changed(request: Request, contact_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        who = await serving.who(request, "contacts:answer")
        data = await request.form()
        editing = await run_sync(partial(editable, serving.app, contact_id, who))
        return await _changed(request, serving, who, editing, data)

    return routes


async def _changed(
    request: Request, serving: Serving, who: Principal, editing: Editing, data: FormData
) -> Response:
    go, typed = text_of(data, "go"), typed_of(data)
    filled = read(editing.fields, data)
    try:
        if go == "back":
            return _fields_page(request, serving, who, editing, typed=typed)
        _expect_right(editing, filled)
        if go != "send":
            return _review_page(request, serving, who, editing, filled, data)
        digest = text_of(data, "digest") or None
        given = Given("edit", typed.comment or None, digest, changes=filled.values)
        await answer(serving.app, editing.asked.id, given, who)
    except InvalidAnswer as error:
        return _fields_page(request, serving, who, editing, typed=typed, refused=error)
    except (Conflict, NotAllowed) as error:
        asked = await run_sync(partial(look, serving.app, editing.asked.id, who))
        return decision_page(request, serving, who, asked, refused=error, typed=typed)
    return see_other(request, serving, contact_path(editing.asked.id))


def editable(app: App, contact_id: str, who: Principal) -> Editing:
    """Raises `Conflict` for what cannot be edited."""
    asked = look(app, contact_id, who)
    _, state, id = found(app, contact_id, tenant=who.tenant)
    contact = contact_named(state, id)
    cls = state.classes.get(contact.intent)
    if cls is None or not asked.can_edit:
        raise Conflict(f"A {asked.kind} has no arguments to edit. Go back and answer it.")
    args: dict[str, Json] = dict(contact.data.get("args") or {})
    names = arg_names(cls)
    known = {name: value for name, value in args.items() if name in names}
    gone = [name for name in args if name not in names]
    fields = fields_of(without_intent(cls.model_json_schema()), known)
    return Editing(asked, cls, args, fields, gone)


def changes_of(editing: Editing, values: Mapping[str, Json]) -> Sequence[Change]:
    """What would change, in the order of the arguments."""
    old = editing.args
    return [
        Change(name, shown(name, old[name]) if name in old else _nothing(name), shown(name, value))
        for name, value in values.items()
    ]


def _nothing(name: str) -> Shown:
    return Shown(name, ("not set",))


def _expect_right(editing: Editing, filled: Filled) -> None:
    """Raises `InvalidAnswer`, by field, for what the step would not take."""
    if filled.errors:
        told = "; ".join(f"{path}: {what}" for path, what in filled.errors.items())
        raise InvalidAnswer(f"{told}. Nothing was done.", errors=filled.errors)
    if not filled.values:
        raise InvalidAnswer("Nothing is changed. To let it run as it is, go back and approve it.")
    changed_args(editing.cls, editing.args, filled.values)


def _fields_page(
    request: Request,
    serving: Serving,
    who: Principal,
    editing: Editing,
    *,
    typed: Typed | None = None,
    refused: TwelvefoldError | None = None,
) -> Response:
    errors = refused.errors if isinstance(refused, InvalidAnswer) else {}
    placed, rest = placed_errors(errors, editing.fields, own=set())
    return page(
        request,
        serving,
        "edit.html",
        who=who,
        status=200 if refused is None else status_of(refused),
        asked=editing.asked,
        fields=editing.fields,
        gone=editing.gone,
        typed=typed or Typed(),
        raw={} if typed is None else typed.fields,
        refused_said="" if refused is None else _said(refused, editing, placed),
        placed=placed,
        rest=rest,
    )


def _said(refused: TwelvefoldError, editing: Editing, placed: Mapping[str, str]) -> str:
    many = len(placed)
    if many:
        return f"{many} field{'s are' if many > 1 else ' is'} not right yet; see below."
    return refusal_said(refused, editing.asked)


def _review_page(
    request: Request,
    serving: Serving,
    who: Principal,
    editing: Editing,
    filled: Filled,
    data: FormData,
) -> Response:
    kept = [(n, v) for n, v in data.multi_items() if isinstance(v, str) and n not in _OURS]
    return page(
        request,
        serving,
        "review.html",
        who=who,
        asked=editing.asked,
        changes=changes_of(editing, filled.values),
        kept=kept,
    )


_OURS = frozenset({"go", "csrf"})
"""Fields that each page writes anew."""
