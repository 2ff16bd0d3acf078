"""A yes with changes is no yes, and one from a weak channel is none to what became risky since."""

from typing import ClassVar, Literal

import pytest
from victims import Victim

from twelvefold.exceptions import InvalidAnswer, NotAllowed
from twelvefold.policy import Risk
from twelvefold.steps import Step


class Deploy(Step):
    risk: ClassVar[Risk] = "low"
    intent: Literal["deploy"] = "deploy"
    tag: str = "v1"


class DeployNow(Deploy):
    risk: ClassVar[Risk] = "high"


def test_approve_with_changes_does_not_run_the_unchanged_step() -> None:
    victim = Victim(Deploy())
    victim.begin()

    with pytest.raises(InvalidAnswer, match="edit"):
        victim.answer("approve", changes={"tag": "v2"})

    victim.go_on()
    assert victim.effects == []


def test_a_weak_channel_does_not_settle_a_risk_that_was_raised() -> None:
    victim = Victim(Deploy())
    victim.begin()

    again = victim.redeployed(DeployNow())
    with pytest.raises(NotAllowed, match="high"):
        again.answer("approve", channel="sms", assurance="sms")

    again.go_on()
    assert again.effects == []
