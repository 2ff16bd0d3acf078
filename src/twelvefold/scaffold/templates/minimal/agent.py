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
    State,
    Thread,
    Wait,
    render,
    run,
)
from twelvefold.intents import DoneForNow, RequestHumanInput, ask

from tools import Outbox, Send, send

OWNERS = ["anna", "ben"]  # who is asked: any of them
DAY = timedelta(hours=24)
FAILURES_MAX = 3
STUCK = "This keeps failing. What should I do?"

AnyStep = Send | RequestHumanInput | DoneForNow
next_step = Prompt(Path(__file__).parent / "prompts" / "next_step.md", context=render)


def decide(thread: Thread, state: State[AnyStep]) -> Effect[AnyStep, Outbox]:
    for chosen in state.ready:
        return carry_out(chosen)
    if state.waiting or state.finished:
        return Wait()
    if state.failures_in_a_row >= FAILURES_MAX:
        return Choose(RequestHumanInput(question=STUCK, context=state.last_failure))
    return AskModel(next_step(thread=thread), AnyStep)


def carry_out(chosen: Chosen[AnyStep]) -> Effect[AnyStep, Outbox]:
    match chosen.step:
        case Send() as step if not chosen.approved:
            return Approve(step, by=OWNERS, within=DAY)
        case Send() as step:
            return run(send, step, retry_safe=True)  # the outbox honours the key
        case RequestHumanInput() as step:
            return ask(step, to=OWNERS, within=DAY)
        case DoneForNow() as step:
            return Finish(step.message, step)
