"""Effects that ask people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel

from twelvefold.forms import Form, Option
from twelvefold.policy import By
from twelvefold.thread import Event

Source = Callable[[Event], str | None]
"""Who outside wrote what an event says; None for nobody."""


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
class Rule:
    """Made by `rule()`."""

    name: str
    holds: bool
    source: Source


def rule(name: str, holds: bool, *, source: Source) -> Rule:
    """A rule that says yes in the place of people, where it holds; people read its `name`.

    It says nothing for a step of high risk, for one that may have run already, and while anybody
    whom `source` names has written in the thread (`context.outside`): then people are asked.
    """
    return Rule(name, holds, source)


@dataclass(frozen=True, slots=True)
class Approve:
    """Ask people whether exactly this step may run.

    - `within`: after it the answer is no, or what `on_expiry` says.
    - `remind`: how often they are asked again until then.
    - `options`: other ways to end it, by name; the step then does not run.
    - `withdraw_on_message`: a message that comes meanwhile ends it, and the step.
    - `unless`: nobody is asked where this rule holds.
    """

    step: BaseModel
    by: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)
    on_expiry: OnExpiry = field(default="deny", kw_only=True)
    remind: timedelta | None = field(default=None, kw_only=True)
    options: Sequence[Option] = field(default=(), kw_only=True)
    withdraw_on_message: bool = field(default=False, kw_only=True)
    unless: Rule | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask people a question. The answer is the result of the step, and must be of the `form`. The
    rest as in `Approve`: an option is an answer here."""

    step: BaseModel
    question: str
    to: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)
    on_expiry: OnExpiry = field(default="deny", kw_only=True)
    remind: timedelta | None = field(default=None, kw_only=True)
    form: Form | None = field(default=None, kw_only=True)
    options: Sequence[Option] = field(default=(), kw_only=True)
    withdraw_on_message: bool = field(default=False, kw_only=True)
