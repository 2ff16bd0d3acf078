"""Rates and budgets around a model call: its turn before, what it used after.

What is used is counted beside the log and right after the reply: a process that is killed in
between leaves one call uncounted. The rows are asked in a thread of their own, for a database may
be slow.
"""

import asyncio
import logging
from datetime import datetime
from typing import cast

from twelvefold.exceptions import ModelFailed, StoreError
from twelvefold.loop.said import about
from twelvefold.loop.surroundings import Surroundings
from twelvefold.messages import ModelRequest, Usage
from twelvefold.meters import WAIT_MAX, Meters, to_spend, used_up
from twelvefold.store import Ref
from twelvefold.thread import Draft, Json

log = logging.getLogger("twelvefold")


async def budget_reached(request: ModelRequest, around: Surroundings, after: int) -> Draft | None:
    """`limit_reached`, which pauses the thread, when nothing is left of a budget."""
    if not around.budgets:
        return None
    now = around.clock()
    over = await asyncio.to_thread(
        used_up,
        around.budgets,
        _meters(around),
        agent=request.agent,
        tenant=request.tenant,
        now=now,
    )
    if over is None:
        return None
    budget, spent = over
    data: dict[str, Json] = {"limit": f"budget: {budget}", "used": round(spent, 6)}
    data |= {"allowed": budget.allowed, "by": "advance"}
    return Draft("limit_reached", data, now, key=f"limit_reached:{after}", after=after)


async def await_turn(model: str | None, around: Surroundings) -> ModelFailed | None:
    """Wait until the rate of this model lets a call through; what to record when that is never."""
    name = model or next(iter(around.models), "")
    if (rate := around.rates.get(name)) is None:
        return None
    wait_s = await asyncio.to_thread(_meters(around).take_turn, name, rate, around.clock())
    if wait_s is None:
        minutes = WAIT_MAX.total_seconds() / 60
        detail = f"for {name!r} more calls wait than its rate lets through in {minutes:g} minutes"
        return ModelFailed("rate_limited", detail)
    await asyncio.sleep(wait_s)
    return None


async def count(request: ModelRequest, usage: Usage, around: Surroundings) -> None:
    """Add what a call used to the budgets it belongs to. A reply is never lost for that."""
    now = around.clock()
    for name, amount, until in to_spend(
        around.budgets,
        agent=request.agent,
        tenant=request.tenant,
        tokens=usage.input + usage.output,
        cost=usage.cost,
        now=now,
    ):
        try:
            await asyncio.to_thread(_spend, _meters(around), name, amount, until, now)
        except StoreError as error:
            log.warning(
                "%s: %g was used and not counted in %s: %s",
                *(request.thread_id, amount, name, error),
                extra=about(Ref(request.tenant, request.thread_id), agent=request.agent),
            )


def _spend(meters: Meters, name: str, amount: float, until: datetime, now: datetime) -> None:
    meters.spend(name, amount, until=until, now=now)


def _meters(around: Surroundings) -> Meters:
    return cast(Meters, around.store)
