"""The agent: what it may choose, and `decide`, which says what happens next.

`decide` is a pure function of the log: no clock, no network, no chance. What it returns is carried
out, what came of it is appended to the log, and it is called again, until it returns `Wait`.
"""

from datetime import timedelta
from pathlib import Path

from twelvefold import (
    Approve,
    AskModel,
    Choose,
    Chosen,
    Effect,
    Finish,
    Prompt,
    Settle,
    State,
    Thread,
    Wait,
    render,
    run,
)
from twelvefold.intents import DoneForNow, RequestHumanInput, ask
from twelvefold.policy import role

from orders import Order, Orders
from tools import LookUp, Refund, look_up, refund

SUPPORT = role("support")  # who is asked: whoever has this role in people.yaml when they answer
DAY = timedelta(hours=24)
FAILURES_MAX = 3
STUCK = "This keeps failing. What should I do?"

AnyStep = LookUp | Refund | RequestHumanInput | DoneForNow
next_step = Prompt(Path(__file__).parent / "prompts" / "next_step.md", context=render)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Orders]:
    for chosen in state.ready:
        forbidden = why_not(chosen.step, state)
        return carry_out(chosen) if forbidden is None else Settle(chosen.step, forbidden)
    if state.waiting or state.finished:
        return Wait()
    if state.failures_in_a_row >= FAILURES_MAX:
        return Choose(RequestHumanInput(question=STUCK, context=state.last_failure))
    return AskModel(next_step(thread=thread), AnyStep)


def why_not(step: AnyStep, state: State[AnyStep]) -> str | None:
    """What code forbids before anybody is asked, whatever a customer, the model or an edit says."""
    looked_up = [one.result_as(Order) for one in state.all(LookUp) if one.result]
    left = {order.number: order.cents - order.refunded_cents for order in looked_up}
    match step:
        case Refund(order=order) if order not in left:
            return f"refused: {order} was not looked up"
        case Refund(order=order, cents=cents) if not 0 < cents <= left[order]:
            return f"refused: {left[order]} cents of {order} can be refunded"
        case _:
            return None


def carry_out(chosen: Chosen[AnyStep]) -> Effect[AnyStep, Orders]:
    match chosen.step:
        case LookUp() as step:
            return run(look_up, step, retry_safe=True)
        case Refund() as step if not chosen.approved:
            return Approve(step, by=SUPPORT, within=DAY)
        case Refund() as step:
            return run(refund, step, retry_safe=True)  # the key makes it happen once
        case RequestHumanInput() as step:
            return ask(step, to=SUPPORT, within=DAY)
        case DoneForNow() as step:
            return Finish(step.message, step)
