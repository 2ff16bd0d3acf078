"""Effects that ask people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel

from twelvefold.forms import Form, Option
from twelvefold.policy import By


@dataclass(frozen=True, slots=True)
class Approve:
    """Ask people whether exactly this step may run. `within`: after it the answer is no."""

    step: BaseModel
    by: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)
    options: Sequence[Option] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask people a question. The answer is the result of the step. `form`: what it must be."""

    step: BaseModel
    question: str
    to: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)
    form: Form | None = field(default=None, kw_only=True)
    options: Sequence[Option] = field(default=(), kw_only=True)
