"""A question or an approval, as the log tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from twelvefold.forms import Form, Option
from twelvefold.policy import Policy, Risk
from twelvefold.thread import Json, from_iso

ContactKind = Literal["approval", "question", "outcome", "repair"]


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person said to one contact, and the digest of what it was about."""

    by: str
    decision: str
    at: datetime
    seq: int
    digest: str | None = None


@dataclass(slots=True)
class Contact:
    """A question or approval. `outcome` is None while it is open; `closed_*` say who ended it and
    how. `data` is the request as it stands, with those who are asked now.

    `rule` is the one that closed it, without anybody.
    `on_expiry`: {} is no; else {"escalate": {"to", "within_s"}}, or {"option": name}.
    """

    id: str
    step: str
    kind: ContactKind
    intent: str
    policy: Policy
    asked_at: datetime
    seq: int
    risk: Risk = "low"
    question: str = ""
    digest: str | None = None
    deadline: datetime | None = None
    on_expiry: Mapping[str, Json] = field(default_factory=dict[str, Json])
    remind: timedelta | None = None
    form: Form | None = None
    options: tuple[Option, ...] = ()
    withdraw_on_message: bool = False
    data: dict[str, Json] = field(default_factory=dict[str, Json], repr=False)
    votes: list[Vote] = field(default_factory=list[Vote])
    reminders: int = 0
    outcome: str | None = None
    closed_by: str = ""
    closed_at: datetime | None = None
    closed_channel: str = ""
    rule: str = ""


def contact_of(data: dict[str, Json], *, asked_at: datetime, seq: int) -> Contact:
    """The contact that a request asks for."""
    deadline, remind_s = data.get("deadline"), data.get("remind_s")
    return Contact(
        id=data["contact"],
        step=data["step"],
        kind=data["kind"],
        intent=data.get("intent", ""),
        policy=Policy.from_data(data["to"]),
        asked_at=asked_at,
        seq=seq,
        risk=data.get("risk", "low"),
        question=data.get("question") or "",
        digest=data.get("digest"),
        deadline=None if deadline is None else from_iso(deadline),
        on_expiry=data.get("on_expiry", {}),
        remind=None if remind_s is None else timedelta(seconds=remind_s),
        form=Form.from_data(data["form"]) if "form" in data else None,
        options=tuple(map(Option.from_data, data.get("options", ()))),
        withdraw_on_message=data.get("withdraw_on_message", False),
        data=data,
    )


def moved(contact: Contact, data: dict[str, Json]) -> Contact:
    """The same contact, asked of others: what was said to it stays."""
    again = contact_of(data, asked_at=contact.asked_at, seq=contact.seq)
    return replace(again, votes=contact.votes, reminders=contact.reminders)


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes, bound to the contact it was given in and to the digest that was shown there."""

    contact: str
    digest: str
