"""A tool call: its tries within its time, and what became of it, with every secret taken out."""

import inspect
import logging
from functools import partial
from typing import Any

from twelvefold.agent import Agent
from twelvefold.exceptions import NothingHappened
from twelvefold.failures import is_certain
from twelvefold.loop.causes import raise_unless_caused
from twelvefold.loop.facts import record_now
from twelvefold.loop.runs import ToolRun
from twelvefold.loop.said import about
from twelvefold.loop.stops import Stop
from twelvefold.loop.surroundings import Surroundings
from twelvefold.loop.threads import Ended
from twelvefold.loop.transactions import run_in_transaction
from twelvefold.plan import CallTool, Reconcile
from twelvefold.steps import risk_of
from twelvefold.thread import Draft, Thread, joined, to_text
from twelvefold.tools import Result

log = logging.getLogger("twelvefold")


async def call_tool(
    action: CallTool,
    thread: Thread,
    agent: Agent[Any, Any],
    around: Surroundings,
    after: int,
    stop: Stop,
) -> Draft:
    """`tool_returned`, `tool_failed` or `tool_outcome_unknown`, all under one key."""
    run = ToolRun(action, action.run.tool, thread, agent, around, stop)
    try:
        if action.run.in_transaction:
            return await run_in_transaction(run, partial(_returned, run, after=after))
        value = await run.value(late=partial(_record_late, run, after))
    except BaseException as error:
        raise_unless_caused(error)
        return _failed(run, error, after)
    return _returned(run, await run.kept(value), after)


async def reconcile(
    action: Reconcile,
    thread: Thread,
    agent: Agent[Any, Any],
    around: Surroundings,
    after: int,
    stop: Stop,
) -> Draft:
    """What the tool's own `reconcile` knows of the attempt that was cut off."""
    run = ToolRun(action.call, action.tool, thread, agent, around, stop)
    data = run.about() | {"reconciled": True}
    place = f"{action.call.step_id}:{action.call.attempt}"
    late = f"late:outcome:{place}"
    try:
        value = await run.value(tries_max=1)
        data |= (await run.kept(value)).data
        return Draft("tool_returned", data, around.clock(), key=late, after=after)
    except NothingHappened as error:
        data |= {"error": run.said(error), "run_again": True}
        return Draft("tool_failed", data, around.clock(), key=late, after=after)
    except BaseException as error:
        raise_unless_caused(error)
        data["error"] = run.said(error)
        key = f"reconcile:{place}"
        return Draft("tool_outcome_unknown", data, around.clock(), key=key, after=after)


def _returned(run: ToolRun, result: Result, after: int) -> Draft:
    text = joined(to_text(run.about()), result.text)  # a result is written as JSON once
    return Draft("tool_returned", text, run.around.clock(), key=_key(run), after=after)


def _failed(run: ToolRun, error: BaseException, after: int) -> Draft:
    risk, safe = risk_of(run.action.step.__class__), run.action.run.retry_safe
    certain = run.action.run.in_transaction or is_certain(error, risk=risk, retry_safe=safe)
    type = "tool_failed" if certain else "tool_outcome_unknown"
    data = run.about() | {"error": run.said(error)}
    return Draft(type, data, run.around.clock(), key=_key(run), after=after)


def _key(run: ToolRun) -> str:
    return f"outcome:{run.action.step_id}:{run.action.attempt}"


def _record_late(run: ToolRun, after: int, ended: Ended) -> None:
    """In the thread of a sync tool that was given up: nobody waits for it, but the log."""
    try:
        if ended.error is not None:
            draft = _failed(run, ended.error, after)
        elif inspect.iscoroutine(ended.value):  # what it would do, it has not begun
            return ended.value.close()
        else:
            draft = _returned(run, run.kept_now(ended.value), after)
        record_now(run.around.store, run.ref, draft, wake=True)
    except Exception as error:
        log.error(
            "%s: the late outcome of %s could not be recorded: %s",
            run.ref.id,
            run.action.step_id,
            run.said(error),
            extra=about(run.ref, seq=after),
        )
