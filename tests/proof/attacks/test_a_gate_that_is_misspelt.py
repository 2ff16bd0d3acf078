"""A step that declares its risk in the wrong way, or hides an argument, is refused, not ungated."""

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from twelvefold.exceptions import InvalidSteps, Unstorable
from twelvefold.steps import Step, args_of, members


class Plain(BaseModel):
    model_config = ConfigDict(frozen=True)
    risk: str = "high"
    intent: Literal["plain"] = "plain"


class Hidden(Step):
    intent: Literal["hidden"] = "hidden"
    target: str = Field(default_factory=lambda: "staging", exclude=True)


def test_a_risk_that_is_an_argument_declares_nothing() -> None:
    with pytest.raises(InvalidSteps, match="ClassVar"):
        members(Plain)


def test_an_argument_that_is_never_written_cannot_be_approved() -> None:
    with pytest.raises(Unstorable, match="target"):
        args_of(Hidden())
