"""An edit of one argument leaves the others as they were shown."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict
from victims import Place, Victim

from twelvefold.policy import Risk
from twelvefold.steps import Step
from twelvefold.thread import Json


class Pay(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    euros: int


class PayNow(Step):
    risk: ClassVar[Risk] = "high"
    intent: Literal["pay"] = "pay"
    cents: int = 0
    note: str = ""


class Open(Step):
    model_config = ConfigDict(frozen=True, extra="allow")
    risk: ClassVar[Risk] = "high"
    intent: Literal["open"] = "open"
    tag: str


def to_cents(args: dict[str, Json]) -> dict[str, Json]:
    return {"cents": args.pop("euros") * 100, **args} if "euros" in args else args


def test_an_edit_keeps_the_arguments_that_an_upcaster_made(place: Place) -> None:
    victim = Victim(place, Pay(euros=7)).begin()

    again = victim.redeployed(PayNow(), agent={"upcasters": {"pay": to_cents}})
    assert again.asked()["args"] == {"cents": 700, "note": ""}
    again.answer("edit", changes={"note": "rent"})

    again.expect({"cents": 700, "note": "rent"})


def test_an_edit_keeps_arguments_that_the_step_does_not_declare(place: Place) -> None:
    step: BaseModel = Open.model_validate({"tag": "v1", "dry_run": True})
    assert isinstance(step, Open)
    victim = Victim(place, step).begin()

    victim.answer("edit", changes={"tag": "v2"})

    victim.expect({"tag": "v2", "dry_run": True})
