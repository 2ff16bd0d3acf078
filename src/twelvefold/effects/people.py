"""Effects that ask people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel

from twelvefold.forms import Form, Option
from twelvefold.policy import By


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Made by `escalate()`."""

    to: By
    within: timedelta


def escalate(*, to: By, within: timedelta) -> Escalate:
    """Ask these people instead, once; `within` counts from then on. After that the answer is no."""
    return Escalate(to=to, within=within)


OnExpiry = str | Escalate
"""What silence means: "deny", other people, or the name of an option."""


@dataclass(frozen=True, slots=True)
class Approve:
    """Ask people whether exactly this step may run. `within`: after it the answer is no, or what
    `on_expiry` says. `remind`: how often they are asked again until then."""

    step: BaseModel
    by: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)
    on_expiry: OnExpiry = field(default="deny", kw_only=True)
    remind: timedelta | None = field(default=None, kw_only=True)
    options: Sequence[Option] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask people a question. The answer is the result of the step. `form`: what it must be."""

    step: BaseModel
    question: str
    to: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)
    on_expiry: OnExpiry = field(default="deny", kw_only=True)
    remind: timedelta | None = field(default=None, kw_only=True)
    form: Form | None = field(default=None, kw_only=True)
    options: Sequence[Option] = field(default=(), kw_only=True)
