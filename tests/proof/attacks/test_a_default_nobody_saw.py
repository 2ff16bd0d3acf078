"""A redeploy gives an open step an argument with a default: whoever says yes must see it."""

from typing import ClassVar, Literal

from victims import Place, Victim

from twelvefold.policy import Risk
from twelvefold.steps import Step


class Where(Step):
    intent: Literal["where"] = "where"
    host: str


class WhereNow(Where):
    all_regions: bool = True


class Deploy(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["deploy"] = "deploy"
    tag: str
    where: Where = Where(host="a")


class DeployNow(Deploy):
    where: WhereNow = WhereNow(host="a")  # pyright: ignore[reportIncompatibleVariableOverride]
    force: bool = True


def test_a_default_that_came_with_a_redeploy_is_shown_before_it_runs(place: Place) -> None:
    victim = Victim(place, Deploy(tag="v1")).begin()

    again = victim.redeployed(DeployNow(tag="v1"))
    shown = again.asked()["args"]
    again.answer("approve")

    again.expect(shown)
    assert shown["force"] is True
    assert shown["where"]["all_regions"] is True
