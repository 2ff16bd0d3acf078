"""A yes with changes is no yes, and one from a weak channel is none to what became risky since."""

from typing import ClassVar, Literal

import pytest
from victims import Place, Victim

from twelvefold.exceptions import InvalidAnswer, NotAllowed
from twelvefold.policy import Risk
from twelvefold.steps import Step


class Deploy(Step):
    risk: ClassVar[Risk] = "low"
    intent: Literal["deploy"] = "deploy"
    tag: str = "v1"


class DeployNow(Deploy):
    risk: ClassVar[Risk] = "high"


def test_approve_with_changes_does_not_run_the_unchanged_step(place: Place) -> None:
    victim = Victim(place, Deploy()).begin()

    refusal = victim.tried("approve", changes={"tag": "v2"})

    victim.expect()
    assert isinstance(refusal, InvalidAnswer)


def test_a_weak_channel_does_not_settle_a_risk_that_was_raised(place: Place) -> None:
    victim = Victim(place, Deploy()).begin()

    again = victim.redeployed(DeployNow())
    refusal = again.tried("approve", channel="sms", assurance="sms")

    again.expect()
    assert isinstance(refusal, NotAllowed)


@pytest.mark.parametrize("assurance", ["", "sms", "link", "link_typed", "LOCAL", "local "])
def test_a_channel_that_proves_too_little_settles_no_high_risk(
    place: Place, assurance: str
) -> None:
    victim = Victim(place, DeployNow()).begin()

    refusal = victim.tried("approve", channel="sms", assurance=assurance)

    victim.expect()
    assert isinstance(refusal, NotAllowed)
