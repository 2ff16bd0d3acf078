"""A gate with a typo in it runs nothing ungated: the step itself says what risk it bears."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from victims import Place, Victim, gated

from crew import Pay
from twelvefold.effects import run
from twelvefold.exceptions import InvalidSteps, Unstorable
from twelvefold.steps import Step, args_of, members

GATED = {"pya", "deploy"}
"""The names of steps that need a yes, one of them misspelt."""


class Plain(BaseModel):
    model_config = ConfigDict(frozen=True)
    risk: str = "high"
    intent: Literal["plain"] = "plain"


class Hidden(Step):
    intent: Literal["hidden"] = "hidden"
    target: str = Field(default_factory=lambda: "staging", exclude=True)


def gated_by_name(victim: Victim, chosen: Any) -> Any:
    return gated(victim, chosen) if chosen.intent in GATED else run(victim.tool, chosen.step)


def test_a_typo_in_the_name_of_a_gate_runs_nothing(place: Place) -> None:
    victim = Victim(place, Pay(to="mallory"), carry_out=gated_by_name).begin()

    victim.expect()
    assert "Approve(step, by=...)" in str(victim.state().failed)


def test_a_tool_may_not_be_handed_the_step_of_another_in_disguise(place: Place) -> None:
    """A yes is to the step that was chosen, whatever object the tool is then called with."""

    def disguised(victim: Victim, chosen: Any) -> Any:
        if chosen.approved:
            return run(victim.tool, chosen.step.model_copy(update={"to": "mallory"}))
        return gated(victim, chosen)

    victim = Victim(place, Pay(to="ann"), carry_out=disguised).begin()

    victim.answer("approve")

    victim.expect()
    assert "not a ready step" in str(victim.state().failed)


def test_a_risk_that_is_an_argument_declares_nothing() -> None:
    with pytest.raises(InvalidSteps, match="ClassVar"):
        members(Plain)


def test_an_argument_that_is_never_written_cannot_be_approved() -> None:
    with pytest.raises(Unstorable, match="target"):
        args_of(Hidden())
