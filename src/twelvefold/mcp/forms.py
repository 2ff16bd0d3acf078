"""A contact as a form of the protocol, and what comes back of it. Pure.

Forms are flat: one object whose properties are texts, numbers, booleans and choices. What does not
fit is asked for as a text that holds JSON. What comes back is checked here for its shape alone; the
contact itself judges what it says.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from twelvefold.contacts import Decision
from twelvefold.exceptions import InvalidAnswer, Unstorable
from twelvefold.forms import Form
from twelvefold.notices import visible
from twelvefold.state import Contact
from twelvefold.thread import Json, Thread, canonical, from_text, to_text

KEY_CHARS = 24
COMMENT_CHARS_MAX = 10_000

ANSWER, CHOICE, COMMENT, DECISION = "answer", "choice", "comment", "decision"

_SIMPLE = frozenset({"string", "number", "integer", "boolean"})
_WORDS = frozenset(
    {"type", "title", "description", "default", "enum", "format", "minimum", "maximum"}
    | {"minLength", "maxLength"}
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a form says: a decision, and what belongs to it."""

    decision: Decision
    value: Json = None
    comment: str | None = None


def key_of(thread: Thread, contact: Contact) -> str:
    """Names a contact as it was shown: another one when it changes, the same after a restart."""
    shown = canonical([thread.tenant, thread.id, contact.id, contact.digest, contact.question])
    return f"{contact.id}-{hashlib.sha256(shown.encode()).hexdigest()[:KEY_CHARS]}"


def form_of(contact: Contact) -> dict[str, Json]:
    """The `requestedSchema` of an elicitation."""
    return _of_approval(contact) if contact.kind == "approval" else _of_question(contact)


def _of_approval(contact: Contact) -> dict[str, Json]:
    return _object(
        {
            DECISION: {
                "type": "string",
                "enum": ["approve", "deny", *_options(contact)],
                "description": "Whether exactly this may happen.",
            },
            COMMENT: {"type": "string", "description": "Why. A denial needs it."},
        },
        [DECISION],
    )


def _of_question(contact: Contact) -> dict[str, Json]:
    if is_flat(contact.form) and not contact.options:
        return cast("Form", contact.form).json_schema()
    answer = {ANSWER: _field(contact.form)}
    if not contact.options:
        return _object(answer, [ANSWER])
    names = _options(contact)
    choice: dict[str, Json] = {"type": "string", "enum": names, "description": "Instead."}
    return _object({**answer, CHOICE: choice}, [])


def _object(properties: dict[str, Json], needed: list[str]) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": needed}


def _options(contact: Contact) -> list[str]:
    return [option.name for option in contact.options]


def _field(form: Form | None) -> dict[str, Json]:
    match form:
        case None:
            return {"type": "string", "minLength": 1}
        case Form(kind="multiple_choice", many=many, choices=choices):
            one: dict[str, Json] = {"type": "string", "enum": list(choices)}
            return {"type": "array", "items": one, "minItems": 1} if many else one
        case Form(kind="json"):
            schema = form.json_schema()
            if _is_simple(schema):
                return schema
            return {"type": "string", "description": f"JSON that fits {to_text(schema)}"}
        case _:
            return form.json_schema()


def is_flat(form: Form | None) -> bool:
    """Whether the schema of a form is a form of the protocol as it stands."""
    if form is None or form.kind != "json":
        return False
    schema = form.json_schema()
    known = {"type", "properties", "required", "title", "description"}
    fields = schema.get("properties")
    return (
        schema.get("type") == "object"
        and isinstance(fields, dict)
        and set(schema) <= known
        and all(map(_is_simple, cast("dict[str, Json]", fields).values()))
    )


def _is_simple(schema: Json) -> bool:
    if not isinstance(schema, dict):
        return False
    given = cast("dict[str, Json]", schema)
    kind, enum = given.get("type"), given.get("enum", [])
    if kind not in _SIMPLE or not set(given) <= _WORDS:
        return False
    return all(isinstance(one, str) for one in enum) and (not enum or kind == "string")


def said_in(contact: Contact, content: Mapping[str, Json]) -> Said:
    """What the fields of a form say. Raises `InvalidAnswer`."""
    fields = form_of(contact)["properties"]
    if unknown := sorted(set(content) - set(fields)):
        raise _wrong(unknown[0], "is no field of this form")
    if contact.kind == "approval":
        return _said_of_approval(contact, content)
    if is_flat(contact.form) and not contact.options:
        return Said("answer", dict(content))
    if contact.options and content.get(CHOICE) not in (None, ""):
        if content.get(ANSWER) not in (None, ""):
            raise _wrong(CHOICE, "stands alone")
        return Said("choose", content[CHOICE])
    if ANSWER not in content:
        raise _wrong(ANSWER, "is missing")
    return Said("answer", _value(contact.form, content[ANSWER]))


def _said_of_approval(contact: Contact, content: Mapping[str, Json]) -> Said:
    decision, comment = content.get(DECISION), content.get(COMMENT)
    if comment is not None and (not isinstance(comment, str) or len(comment) > COMMENT_CHARS_MAX):
        raise _wrong(COMMENT, f"is a text of up to {COMMENT_CHARS_MAX} characters")
    if decision in ("approve", "deny"):
        return Said(cast("Decision", decision), comment=comment or None)
    if isinstance(decision, str) and decision in _options(contact):
        return Said("choose", decision, comment or None)
    raise _wrong(DECISION, f"is one of {', '.join(['approve', 'deny', *_options(contact)])}")


def _value(form: Form | None, given: Json) -> Json:
    if form is None or form.kind != "json" or _is_simple(form.json_schema()):
        return given
    if not isinstance(given, str):
        raise _wrong(ANSWER, "is a text that holds JSON")
    try:
        value = from_text(given)
        to_text(value)  # what JSON cannot hold exactly is no answer
        return value
    except (ValueError, Unstorable):
        raise _wrong(ANSWER, "is no JSON") from None


def _wrong(field: str, what: str) -> InvalidAnswer:
    told = f"{visible(field)}: {what}. Nothing was done."
    return InvalidAnswer(told, errors={field: what})
