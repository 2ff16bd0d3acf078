"""A question or an approval, as the log tells it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from twelvefold.forms import Form, Option
from twelvefold.policy import Policy, Risk

ContactKind = Literal["approval", "question", "outcome", "repair"]


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person said to one contact."""

    by: str
    decision: str
    at: datetime
    seq: int


@dataclass(slots=True)
class Contact:
    """A question or approval. `outcome` is None while it is open; `closed_*` say who ended it and
    how."""

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
    form: Form | None = None
    options: tuple[Option, ...] = ()
    votes: list[Vote] = field(default_factory=list[Vote])
    outcome: str | None = None
    closed_by: str = ""
    closed_at: datetime | None = None
    closed_channel: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes, bound to the contact it was given in and to the digest that was shown there."""

    contact: str
    digest: str
