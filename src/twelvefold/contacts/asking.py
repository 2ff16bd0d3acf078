"""Contacts begin and end: `contact_requested`, `contact_closed`. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from twelvefold.exceptions import WrongDecision
from twelvefold.policy import Policy
from twelvefold.state import Chosen, Contact, ContactKind, State, contact_of
from twelvefold.steps import risk_of, schema_hash
from twelvefold.store import Timer
from twelvefold.thread import Draft, Json, to_iso


def request(
    state: State[Any],
    chosen: Chosen[Any],
    kind: ContactKind,
    to: Policy,
    *,
    now: datetime,
    within: timedelta | None = None,
    question: str = "",
    terms: Mapping[str, Json] | None = None,
) -> Draft:
    """`contact_requested` for an open step. Contacts count within their step: `s4.2`.

    `terms`: what only some have (`terms_of`).
    """
    contact = f"{chosen.id}.{1 + sum(c.step == chosen.id for c in state.contacts.values())}"
    data: dict[str, Json] = {
        "contact": contact,
        "step": chosen.id,
        "kind": kind,
        "intent": chosen.intent,
        "to": to.to_data(),
        "question": question,
        "deadline": None if within is None else to_iso(now + within),
        "args": chosen.args,
    }
    if kind == "approval" and chosen.status == "unknown":
        data["question"] = "Its last run was cut off and may have happened."
    cls = state.classes.get(chosen.intent)
    if cls is not None:
        data["risk"] = risk_of(cls)
    if kind == "approval":
        if cls is None:
            raise WrongDecision(f"{chosen.id} has the unknown intent {chosen.intent!r}.")
        data["schema"] = schema_hash(cls)
        data["digest"], data["args"] = chosen.digest(contact), chosen.args_today()
    return Draft("contact_requested", {**data, **(terms or {})}, now)


def close(
    contact: Contact, outcome: str, *, now: datetime, by: str = "", comment: str = "", **more: Json
) -> Draft:
    """`contact_closed`. Every way to end a contact shares one key, so it ends once."""
    data: dict[str, Json] = {
        "contact": contact.id,
        "step": contact.step,
        "intent": contact.intent,
        "outcome": outcome,
    }
    extra = {"by": by, "comment": comment, **more}
    data |= {name: value for name, value in extra.items() if value not in ("", None)}
    return Draft("contact_closed", data, now, key=f"closed:{contact.id}")


def expiry_timer(contact_id: str) -> str:
    return f"expire:{contact_id}"


def remind_timer(contact_id: str) -> str:
    return f"remind:{contact_id}"


def timers_of(contact: Contact) -> list[str]:
    """The keys of what ends with the contact."""
    reminds = [] if contact.remind is None else [remind_timer(contact.id)]
    return [expiry_timer(contact.id), *reminds]


def first_timers(request: Draft) -> list[Timer]:
    """The timers of a contact that is asked now."""
    contact = contact_of(request.data, asked_at=request.at, seq=0)
    found: list[Timer] = []
    if contact.deadline is not None:
        found.append(Timer(expiry_timer(contact.id), contact.deadline))
    if contact.remind is not None:
        found.append(Timer(remind_timer(contact.id), request.at + contact.remind))
    return found
