"""What the form of a contact says: a decision with its words, as `App.answer` takes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from starlette.datastructures import FormData

from twelvefold.contacts import Decision
from twelvefold.exceptions import InvalidAnswer
from twelvefold.forms import Form
from twelvefold.server.pages.fields import Field, field_of, fields_of
from twelvefold.server.pages.filled import Filled, read, text_of, typed_fields
from twelvefold.thread import Json

RESULT = "result"
VALUE = "value"


@dataclass(frozen=True, slots=True)
class Given:
    """What one person says."""

    decision: Decision
    comment: str | None
    digest: str | None
    value: Json = None
    changes: Mapping[str, Json] | None = None


@dataclass(slots=True)
class Typed:
    """What was in the form when it came back: shown again, so that nobody types it twice."""

    comment: str = ""
    value: str = ""
    chosen: list[str] = field(default_factory=list[str])
    result: str = ""
    fields: dict[str, str] = field(default_factory=dict[str, str])


def typed_of(data: FormData) -> Typed:
    """All that can be shown again, whatever else is wrong with it."""
    return Typed(
        comment=text_of(data, "comment"),
        value=text_of(data, VALUE),
        chosen=[text for text in data.getlist(VALUE) if isinstance(text, str)],
        result=text_of(data, RESULT),
        fields=typed_fields(data),
    )


def given_of(data: FormData, form: Form | None) -> Given:
    """Raises `InvalidAnswer` for what is none of the answers there are."""
    decision = text_of(data, "decision")
    if decision not in get_args(Decision):
        raise InvalidAnswer("The form says no decision: use one of its buttons. Nothing was done.")
    said = cast(Decision, decision)
    return Given(
        said,
        text_of(data, "comment") or None,
        text_of(data, "digest") or None,
        _value(said, data, form),
    )


def answer_fields(form: Form | None) -> list[Field]:
    """The fields of an answer that is JSON: those of an object, else one for all of it."""
    if form is None or form.kind != "json":
        return []
    schema = form.json_schema()
    if schema.get("type") == "object" and schema.get("properties"):
        return fields_of(schema, {})
    return [field_of(schema, VALUE, "answer")]


def _value(decision: Decision, data: FormData, form: Form | None) -> Json:
    match decision:
        case "choose":
            return text_of(data, "option")
        case "it_ran":
            return _result(text_of(data, RESULT))
        case "answer" if form is not None and form.kind == "json":
            return _of_fields(data, form)
        case "answer" if form is not None and form.many:
            return [text for text in data.getlist(VALUE) if isinstance(text, str)] or None
        case "answer":
            return text_of(data, VALUE)
        case _:
            return None


def _result(text: str) -> Json:
    """What a tool returned, as JSON; a text that is none is a text."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _of_fields(data: FormData, form: Form) -> Json:
    fields = answer_fields(form)
    filled: Filled = read(fields, data, whole=True)
    if filled.errors:
        told = "; ".join(f"{field}: {what}" for field, what in filled.errors.items())
        raise InvalidAnswer(f"{told}. Nothing was done.", errors=filled.errors)
    is_whole = len(fields) == 1 and fields[0].path == VALUE
    values: dict[str, Any] = filled.values
    return values.get(fields[0].label) if is_whole else values
