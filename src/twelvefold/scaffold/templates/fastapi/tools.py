"""What the agent can do. A tool is a step, which a model fills in, and a function of yours."""

from dataclasses import asdict
from typing import ClassVar, Literal

from twelvefold import Call, NothingHappened, Step
from twelvefold.thread import Json

from orders import Orders


class LookUp(Step):
    intent: Literal["look_up"] = "look_up"
    order: str


class Refund(Step):
    risk: ClassVar = "medium"  # above "low": nothing runs without a yes to exactly this
    intent: Literal["refund"] = "refund"
    order: str
    cents: int


def look_up(step: LookUp, call: Call[Orders]) -> dict[str, Json]:
    order = call.deps.find(step.order)
    if order is None:
        raise NothingHappened(f"there is no order {step.order}")
    return asdict(order)


def refund(step: Refund, call: Call[Orders]) -> str:
    call.deps.refund(step.order, step.cents, key=call.key)
    return f"{step.cents} cents are refunded"
