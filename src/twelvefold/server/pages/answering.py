"""What the form of a contact shows besides the contact: what was refused, and what was typed. Pure.

Whatever a person wrote is shown again: in its field where there still is one, else to be copied.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twelvefold.exceptions import AlreadyDecided, InvalidAnswer, TwelvefoldError
from twelvefold.server.pages.decision_view import Asked, plain
from twelvefold.server.pages.fields import Field
from twelvefold.server.pages.given import Typed, answer_fields


def answering(
    asked: Asked,
    refused: TwelvefoldError | None,
    typed: Typed | None,
    *,
    code: str = "",
    by_link: bool = False,
) -> dict[str, Any]:
    """Variables of `decision.html`."""
    typed = typed or Typed()
    fields = answer_fields(asked.form)
    errors = refused.errors if isinstance(refused, InvalidAnswer) else {}
    placed, rest = placed_errors(errors, fields, own={"comment"})
    is_closed = bool(asked.ended or asked.barred)
    return {
        "asked": asked,
        "refused": refused,
        "refused_said": "" if refused is None else refusal_said(refused, asked),
        "typed": typed,
        "fields": fields,
        "errors": errors,
        "placed": placed,
        "rest": rest,
        "lost": (typed.comment or typed.value) if is_closed else "",
        "code": code,
        "by_link": by_link,
    }


def placed_errors(
    errors: Mapping[str, str], fields: Sequence[Field], *, own: set[str]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Each error at the field that it is about, and those that are about none."""
    paths = sorted(_paths(fields), key=len, reverse=True)
    placed: dict[str, str] = {}
    rest: list[tuple[str, str]] = []
    for path, what in errors.items():
        at = next((one for one in paths if path == one or path.startswith(f"{one}.")), "")
        if at:
            placed[at] = what if path == at else f"{path.removeprefix(at + '.')}: {what}"
        elif path not in own:
            rest.append((path, what))
    return placed, rest


def refusal_said(refused: TwelvefoldError, asked: Asked) -> str:
    """Why, in words for whoever pressed the button."""
    ended = asked.ended
    if ended is not None and asked.mine is not None and ended.by == asked.mine.by:
        return f"You have decided this already: {ended.outcome}."
    if isinstance(refused, AlreadyDecided) and ended is not None and ended.by:
        where = f", {ended.channel}" if ended.channel else ""
        return f"{ended.by} was faster: {ended.outcome}{where}."
    return plain(refused, asked.id)


def _paths(fields: Sequence[Field]) -> Iterator[str]:
    for one in fields:
        yield one.path
        yield from _paths(one.fields)
