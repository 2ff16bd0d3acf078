"""Ask a model the cases, several times each, and stop before it costs too much.

The first runs of all cases come before the second ones, so that each case has about as many when it
ends early.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from twelvefold.cases import Stand, Verdict, broken, judge
from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import Model, ModelReply
from twelvefold.thread import Json

CALLS_AT_ONCE = 4
"""Calls under way together, unless said otherwise."""


ModelFor = Callable[[Stand, int], Model]
"""Which model the n-th run of a case asks; runs count from 1."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one case. `reply` is None where the case needs none, or the call failed."""

    run: int
    verdict: Verdict
    reply: ModelReply | None = None
    prompt: str = ""
    latency_s: float = 0.0
    offline: bool = False

    def to_data(self) -> dict[str, Json]:
        case, reply = self.verdict.case, self.reply
        data: dict[str, Json] = {
            "file": case.file,
            "case": case.name,
            "run": self.run,
            "passed": self.verdict.passed,
            "found": dict(self.verdict.found),
            "complaints": list(self.verdict.complaints),
        }
        if reply is not None:
            data |= {"reply": reply.text, "model": reply.model, "prompt": self.prompt}
            data |= {"usage": reply.usage.to_data(), "latency_s": round(self.latency_s, 3)}
        return data


@dataclass(slots=True)
class Trial:
    """What an evaluation has come to so far. `stopped`: why it ended before its last run."""

    runs_planned: int
    cost: float = 0.0
    dearest: float = 0.0
    results: list[Result] = field(default_factory=list[Result])
    stopped: str | None = None

    @property
    def complete(self) -> bool:
        return len(self.results) == self.runs_planned

    def add(self, result: Result) -> None:
        self.results.append(result)
        cost = 0.0 if result.reply is None else result.reply.usage.cost
        self.cost, self.dearest = self.cost + cost, max(self.dearest, cost)


async def evaluate(
    stands: Sequence[Stand],
    model_for: ModelFor,
    trial: Trial,
    *,
    runs: int,
    cost_max: float | None = None,
    at_once: int = CALLS_AT_ONCE,
) -> AsyncIterator[Result]:
    """Each result as it comes; `trial` counts them. A case that needs no reply is judged once.

    With `cost_max` (US dollars) the first call goes alone, and no call begins that would go beyond
    it if it cost as much as the dearest so far. Raises `ConfigurationError` of the model, and where
    a model reports no cost that could be counted.
    """
    todo = [(run, at) for run in range(1, runs + 1) for at in stands if at.ask or run == 1]
    under_way: set[asyncio.Task[Result]] = set()
    try:
        while todo or under_way:
            together = 1 if cost_max is not None and not trial.dearest else at_once
            while todo and len(under_way) < together and trial.stopped is None:
                if cost_max is not None and _too_dear(trial, len(under_way) + 1, cost_max):
                    break
                run, at = todo.pop(0)
                under_way.add(asyncio.ensure_future(_run(at, model_for, run)))
            if not under_way:
                return
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for result in await asyncio.gather(*done):
                trial.add(result)
                _check_cost(result, cost_max)
                yield result
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _too_dear(trial: Trial, calls: int, cost_max: float) -> bool:
    if trial.cost + calls * trial.dearest <= cost_max:
        return False
    if calls == 1:  # nothing is under way that could leave room
        trial.stopped = (
            f"{trial.cost:.4f} of {cost_max:.4f} dollars are spent, and a call costs up to"
            f" {trial.dearest:.4f}"
        )
    return True


def _check_cost(result: Result, cost_max: float | None) -> None:
    reply = result.reply
    if cost_max is not None and reply is not None and not (reply.usage.cost or result.offline):
        raise ConfigurationError(
            f"The cost of {reply.model or 'this model'} is not known, so it cannot be limited."
            " Leave --max-cost out, or wrap a model whose price is listed: priced(model), from"
            " pip install 'twelvefold[prices]'."
        )


async def _run(at: Stand, model_for: ModelFor, run: int) -> Result:
    if at.ask is None:
        return Result(run, judge(at))
    model, request = model_for(at, run), at.ask.request
    offline = getattr(model, "offline", False)
    started = time.perf_counter()
    try:
        reply = await model(request)
        elapsed_s = reply.latency_s or time.perf_counter() - started
        return Result(run, judge(at, reply), reply, request.hash(), elapsed_s, offline)
    except ConfigurationError:
        raise
    except Exception as error:  # one call that failed is one run that did not pass
        return Result(run, broken(at.case, error))
