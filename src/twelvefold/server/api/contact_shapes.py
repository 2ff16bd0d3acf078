"""What the API shows of contacts: all that a person needs in order to decide, and nothing hidden.

Arguments are shown twice: as data, for programs, and as texts in which everything can be seen, for
people (`notice`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict

from twelvefold.agent import Agent
from twelvefold.contacts import Decision, accepted
from twelvefold.forms import FormKind, Option
from twelvefold.notices import Notice, notice_of, visible
from twelvefold.notices.lines import value_lines
from twelvefold.policy import Policy, Risk
from twelvefold.reducer import read
from twelvefold.server.api.shapes import Id, Time
from twelvefold.state import Contact, ContactKind
from twelvefold.steps import members
from twelvefold.store import ContactRow
from twelvefold.thread import Json, Thread, from_iso, to_iso

ContactStatus = Literal["open", "expired", "closed"]


class ContactLine(TypedDict):
    """A contact as lists know it. Without a `digest` nothing of it can change."""

    id: Id
    thread: str
    agent: str
    status: ContactStatus
    kind: ContactKind
    intent: str
    risk: Risk
    question: str
    args: dict[str, Any]
    asked_of: str
    to: dict[str, Any]
    asked_at: Time
    deadline: Time | None
    digest: str | None
    outcome: str | None
    closed_at: Time | None


class ContactPage(TypedDict):
    data: list[ContactLine]
    next_cursor: str | None


class FormShape(TypedDict):
    """What an answer has to be. `schema` is JSON Schema."""

    kind: FormKind
    choices: list[str]
    many: bool
    schema: dict[str, Any]


class OptionShape(TypedDict):
    """Another way to end the contact: `{"choice": name}`."""

    name: str
    title: str
    description: str
    prompt_fill: str
    interactive: bool


class Argument(TypedDict):
    """One value as people can see it, line by line: what is invisible stands there as an escape."""

    name: str
    lines: list[str]


class Arrived(TypedDict):
    """A message that came after this was asked."""

    seq: int
    sender: str
    text: str


class NoticeShape(TypedDict):
    """What to show to a person. Its words come from the stored arguments; `why` is the model's."""

    wish: str
    question: list[str]
    args: list[Argument]
    why: list[Argument]
    asked_of: str
    chosen_by: str
    since: list[Arrived]


class VoteShape(TypedDict):
    by: str
    decision: str
    at: Time


class Ended(TypedDict):
    """How a contact ended: what was decided, by whom, when and on which channel."""

    outcome: str
    by: str | None
    at: Time | None
    channel: str | None


class ContactShape(ContactLine):
    """A contact with all that a person needs. Send `digest` back with the answer.

    `accepts`: the decisions there are. `edit_schema`: of the arguments that an edit may change.
    """

    accepts: list[Decision]
    form: FormShape | None
    options: list[OptionShape]
    edit_schema: dict[str, Any] | None
    notice: NoticeShape
    votes: list[VoteShape]
    needed: int
    reminders: int
    on_expiry: dict[str, Any]
    decided: Ended | None


def contact_line(row: ContactRow, *, now: datetime) -> ContactLine:
    data = row.data
    return {
        "id": f"{row.ref.id}.{row.id}",
        "thread": row.ref.id,
        "agent": row.agent,
        "status": contact_status(row, now=now),
        "kind": data["kind"],
        "intent": data.get("intent", ""),
        "risk": data.get("risk", "low"),
        "question": data.get("question") or "",
        "args": data.get("args") or {},
        "asked_of": visible(str(Policy.from_data(data["to"]))),
        "to": data["to"],
        "asked_at": to_iso(row.asked_at),
        "deadline": data.get("deadline"),
        "digest": data.get("digest"),
        "outcome": row.outcome,
        "closed_at": None if row.closed_at is None else to_iso(row.closed_at),
    }


def contact_status(row: ContactRow, *, now: datetime) -> ContactStatus:
    if row.outcome is not None:
        return "closed"
    deadline = row.data.get("deadline")
    ends = not row.data.get("on_expiry", {}).get("escalate")
    return "expired" if deadline and ends and now > from_iso(deadline) else "open"


def contact_shape(
    row: ContactRow, thread: Thread, agent: Agent[Any, Any] | None, *, now: datetime
) -> ContactShape:
    contact = read(thread).contacts[row.id]
    return {
        **contact_line(row, now=now),
        "accepts": list(accepted(contact)) if row.outcome is None else [],
        "form": _form(contact),
        "options": [_option(option) for option in contact.options],
        "edit_schema": _edit_schema(contact, agent),
        "notice": _notice(notice_of(row, thread)),
        "votes": [{"by": v.by, "decision": v.decision, "at": to_iso(v.at)} for v in contact.votes],
        "needed": contact.policy.needed,
        "reminders": contact.reminders,
        "on_expiry": dict(contact.on_expiry),
        "decided": _ended(contact),
    }


def _form(contact: Contact) -> FormShape | None:
    form = contact.form
    if form is None:
        return None
    choices, schema = list(form.choices), form.json_schema()
    return {"kind": form.kind, "choices": choices, "many": form.many, "schema": schema}


def _option(option: Option) -> OptionShape:
    return {
        "name": option.name,
        "title": option.title or option.name,
        "description": option.description,
        "prompt_fill": option.prompt_fill,
        "interactive": option.interactive,
    }


def _edit_schema(contact: Contact, agent: Agent[Any, Any] | None) -> dict[str, Json] | None:
    """That of the step without its intent, which no edit changes."""
    if agent is None or "edit" not in accepted(contact):
        return None
    cls = members(agent.steps).get(contact.intent)
    return None if cls is None else without_intent(cls.model_json_schema())


def without_intent(schema: Mapping[str, Json]) -> dict[str, Json]:
    fields = {name: field for name, field in schema["properties"].items() if name != "intent"}
    required = [name for name in schema.get("required", []) if name != "intent"]
    return {**schema, "properties": fields, "required": required}


def _notice(notice: Notice) -> NoticeShape:
    return {
        "wish": visible(" ".join(notice.wish.split())),
        "question": [visible(line) for line in notice.question.split("\n") if notice.question],
        "args": [{"name": visible(n), "lines": value_lines(value)} for n, value in notice.args],
        "why": [
            {"name": visible(n), "lines": [visible(line) for line in text.split("\n")]}
            for n, text in notice.why
        ],
        "asked_of": visible(notice.asked_of),
        "chosen_by": visible(notice.chooser),
        "since": [
            {"seq": seq, "sender": visible(sender), "text": visible(text)}
            for seq, sender, text in notice.since
        ],
    }


def _ended(contact: Contact) -> Ended | None:
    if contact.outcome is None:
        return None
    return {
        "outcome": contact.outcome,
        "by": contact.closed_by or contact.rule or None,
        "at": None if contact.closed_at is None else to_iso(contact.closed_at),
        "channel": contact.closed_channel or None,
    }
