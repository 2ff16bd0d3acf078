"""Work whose results are too large for the log, and whose tools do not end in time."""

import asyncio
from typing import Any, ClassVar, Literal

from bank import Ledger

from twelvefold import (
    Agent,
    App,
    Approve,
    Call,
    Choose,
    Effect,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    run,
)
from twelvefold.attachments import Attachment
from twelvefold.store import EmbeddedStore
from twelvefold.testing import Point
from twelvefold.tools import RESULT_BYTES_MAX

SOON_S = 0.05
LOG = "line of a log\n" * (RESULT_BYTES_MAX // 10)


class Fetch(Step):
    intent: Literal["fetch"] = "fetch"


class Probe(Step):
    intent: Literal["probe"] = "probe"


class Transfer(Step):
    risk: ClassVar = "high"
    intent: Literal["transfer"] = "transfer"


AnyStep = Fetch | Probe | Transfer


def slow_app(ledger: Ledger, point: Point, *, store: EmbeddedStore) -> App:
    """A log of 1.4 MB, a probe that never answers, and a transfer that does not say that it ran."""

    async def fetch(_: Fetch) -> str:
        point("before the result")
        return LOG

    async def probe(_: Probe) -> None:
        point("while a probe hangs")
        await asyncio.Event().wait()

    async def transfer(_: Transfer, call: Call[None]) -> None:
        point("before effect of transfer")
        ledger.add(call.key)
        point("while a transfer hangs")
        await asyncio.Event().wait()

    def decide(_: Thread, state: State[AnyStep]) -> Effect[AnyStep]:
        if not state.ready:
            return _next(state)
        chosen = state.ready[0]
        match chosen.step:
            case Fetch() as step:
                return run(fetch, step, retry_safe=True)
            case Probe() as step:
                return run(probe, step, timeout_s=SOON_S)
            case Transfer() as step if not chosen.approved:
                return Approve(step, by="anna")
            case Transfer() as step:
                return run(transfer, step, timeout_s=SOON_S)

    return App([Agent("slow", decide, AnyStep, owner="anna")], store=store)


def _next(state: State[AnyStep]) -> Effect[AnyStep]:
    if state.waiting or state.finished:
        return Wait()
    steps = (Fetch(), Probe(), Transfer())
    done = sum(state.last(type(step)) is not None for step in steps)
    return Choose(steps[done]) if done < len(steps) else Finish(f"{size_of(state)} bytes")


def size_of(state: State[Any]) -> int:
    fetched = state.last(Fetch)
    assert fetched is not None
    assert isinstance(fetched.result, Attachment)
    return fetched.result.size
