"""Whether what a person says has the form that was asked for. Pure; nothing is saved before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

from twelvefold.contacts.answers import ACCEPTED, Answer, Decision
from twelvefold.exceptions import InvalidAnswer
from twelvefold.forms import Form
from twelvefold.schemas.checking import Checker
from twelvefold.state import Contact
from twelvefold.thread import Json

CHECKERS_KEPT_MAX = 128

_YES_NO: Mapping[Json, bool] = {"yes": True, "no": False, "y": True, "n": False}
_FIELD = re.compile(r"([^\s:]+): (.*)", re.DOTALL)
_WHOLE = "answer"


def accepted(contact: Contact) -> tuple[Decision, ...]:
    """What may be said to it."""
    kind = ACCEPTED[contact.kind]
    return (*kind, "choose") if contact.options else kind


def formed(contact: Contact, answer: Answer) -> Answer:
    """The answer as it is to be saved. Raises `InvalidAnswer`."""
    decision, may = answer.decision, accepted(contact)
    if decision not in may:
        raise InvalidAnswer(
            f"{contact.id} awaits {' or '.join(may)}, not {decision}. Nothing was done."
        )
    if answer.changes is not None and decision != "edit":
        raise InvalidAnswer("Only an edit changes arguments. Nothing was done.")
    if decision == "edit" and contact.kind == "approval" and not answer.changes:
        raise InvalidAnswer("An edit changes something; a yes is `approve`. Nothing was done.")
    if decision == "deny" and not (answer.comment or "").strip():
        raise InvalidAnswer(
            "A denial needs a comment: the model reads it. Nothing was done.",
            errors={"comment": "is empty"},
        )
    if decision == "choose":
        return _choice(contact, answer)
    if decision == "answer":
        return replace(answer, value=_value(contact, answer.value))
    return answer


def _choice(contact: Contact, answer: Answer) -> Answer:
    """By the name of the option, with what it says where nobody is to write anything."""
    for option in contact.options:
        if answer.value == option.name:
            said = answer.comment if option.interactive else answer.comment or option.prompt_fill
            return replace(answer, comment=said or None)
    names = ", ".join(option.name for option in contact.options)
    raise _invalid(contact, {"choice": f"must be one of {names}"})


def _value(contact: Contact, value: Json) -> Json:
    if value in (None, ""):
        raise InvalidAnswer(f"{contact.id} awaits an answer, not silence. Nothing was done.")
    form = contact.form
    if form is None:
        return value
    if form.kind == "yes_no" and isinstance(value, str):
        value = _YES_NO.get(value.strip().casefold(), value)
    if form.kind == "free_text" and isinstance(value, str) and not value.strip():
        raise _invalid(contact, {_WHOLE: "is empty"})
    if complaints := checker(form).complaints(value):
        raise _invalid(contact, _by_field(complaints))
    return value


def checker(form: Form) -> Checker:
    """Raises `SchemaRefused` for a schema that cannot be checked."""
    return _checker(form)


@lru_cache(CHECKERS_KEPT_MAX)  # decide makes an equal form each time it is called
def _checker(form: Form) -> Checker:
    return Checker(form.json_schema())


def _by_field(complaints: Sequence[str]) -> dict[str, str]:
    """`path: what` as {path: what}; what is wrong with all of it belongs to `answer`."""
    errors: dict[str, str] = {}
    for complaint in complaints:
        found = _FIELD.fullmatch(complaint)
        field, what = cast("tuple[str, str]", found.groups()) if found else (_WHOLE, complaint)
        errors[field] = f"{errors[field]}; {what}" if field in errors else what
    return errors


def _invalid(contact: Contact, errors: Mapping[str, str]) -> InvalidAnswer:
    told = "; ".join(f"{field}: {what}" for field, what in errors.items())
    return InvalidAnswer(f"{contact.id}: {told}. Nothing was done.", errors=errors)
