"""The only I/O of an advance: call a model, call a tool, ask `reconcile`. Returns facts, raises
nothing."""

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.call import Call
from twelvefold.effects import Tool, arity
from twelvefold.exceptions import ConfigurationError, NothingHappened, StepRefused, Unstorable
from twelvefold.failures import is_certain, short
from twelvefold.messages import Model, ModelReply
from twelvefold.plan import Act, CallModel, CallTool, Reconcile
from twelvefold.steps import args_of, intent_of, risk_of
from twelvefold.store import Store
from twelvefold.thread import Draft, Json, Thread, to_text
from twelvefold.tools import Parsed, parse, parse_answer, result_data


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Surroundings:
    """All that an advance may touch. The first of `models` is the default."""

    agents: Mapping[str, Agent[Any, Any]]
    store: Store
    models: Mapping[str, Model]
    clock: Callable[[], datetime] = field(default=utc_now)

    def model(self, name: str | None) -> Model:
        """Raises `ConfigurationError` when the application has no such model."""
        if name is None and self.models:
            return next(iter(self.models.values()))
        if name is None or name not in self.models:
            known = ", ".join(self.models) or "none"
            raise ConfigurationError(
                f"The application has no model {name or ''!r}; it has: {known}."
            )
        return self.models[name]


async def act(
    action: Act, thread: Thread, agent: Agent[Any, Any], around: Surroundings, *, after: int
) -> Draft:
    """Carry out one act; the fact that became of it. `after` is the head that decide saw."""
    match action:
        case CallModel():
            return await _call_model(action, around, after)
        case CallTool():
            return await _call_tool(action, thread, agent, around, after)
        case _:
            return await _reconcile(action, thread, agent, around, after)


async def _call_model(action: CallModel, around: Surroundings, after: int) -> Draft:
    request, clock = action.request, around.clock
    key = f"reply:{request.turn}"  # of two racing replies to one turn, the first counts
    asked: dict[str, Json] = {"prompt": request.hash()}
    started = time.perf_counter()
    try:
        reply = await around.model(action.model)(request)
        asked |= _about(reply, time.perf_counter() - started)
    except BaseException as error:
        _raise_unless_caused(error)
        data = asked | {"error": short(error), "reason": "call_failed"}
        return Draft("model_failed", data, clock(), key=key, after=after)
    try:
        if reply.finish in {"truncated", "refused"}:
            raise StepRefused(reply.finish, f"The model's reply was {reply.finish}.")
        type, data = _said(action, reply, asked)
        return Draft(type, data, clock(), key=key, after=after)
    except (StepRefused, Unstorable) as error:  # JSON has 1e999, the log has no infinity
        reason = error.reason if isinstance(error, StepRefused) else "unstorable"
        data = asked | {"error": short(error), "reason": reason, "raw": reply.text}
        return Draft("model_failed", data, clock(), key=key, after=after)


def _raise_unless_caused(error: BaseException) -> None:
    """Raise what ends the advance or the process. What the called code itself raised is a fact,
    also when it is `SystemExit`, or a cancellation that nobody asked of us."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise error
    elif not isinstance(error, Exception | SystemExit):
        raise error


def _about(reply: ModelReply, elapsed_s: float) -> dict[str, Json]:
    about: dict[str, Json] = {"usage": reply.usage.to_data()}
    about["latency_s"] = round(reply.latency_s or elapsed_s, 4)
    if reply.model:
        about["model"] = reply.model
    if reply.attempts > 1:
        about["attempts"] = reply.attempts
    return about


def _said(
    action: CallModel, reply: ModelReply, asked: dict[str, Json]
) -> tuple[str, dict[str, Json]]:
    """The fact that a reply is. Raises `StepRefused`, and `Unstorable` for 1e999 and the like."""
    if action.answer is None:
        return "next_step_chosen", _choice(parse(reply.text, action.steps), reply, asked)
    answer = parse_answer(reply.text, action.answer)
    return "model_answered", {
        "step": action.settles,
        "intent": action.intent,
        "answer": answer,
    } | asked


def _choice(
    parsed: Parsed[BaseModel], reply: ModelReply, asked: dict[str, Json]
) -> dict[str, Json]:
    intent, args = intent_of(type(parsed.step)), args_of(parsed.step)
    data: dict[str, Json] = {"intent": intent, "args": args, "by": "model", **asked}
    # The raw text is kept where it says anything that the arguments do not.
    if reply.text != to_text({"intent": intent, **args}):
        data["raw"] = reply.text
    if parsed.repairs:
        data["repairs"] = list(parsed.repairs)
    return data


async def _call_tool(
    action: CallTool, thread: Thread, agent: Agent[Any, Any], around: Surroundings, after: int
) -> Draft:
    run = action.run
    data: dict[str, Json] = {
        "step": action.step_id,
        "intent": action.intent,
        "attempt": action.attempt,
    }
    type = "tool_returned"
    try:
        deps = _deps(agent, thread)
        data |= result_data(await _invoke(run.tool, action, thread, deps))
    except BaseException as error:
        _raise_unless_caused(error)
        risk = risk_of(action.step.__class__)
        certain = is_certain(error, risk=risk, retry_safe=run.retry_safe)
        type = "tool_failed" if certain else "tool_outcome_unknown"
        data["error"] = short(error)
    key = f"outcome:{action.step_id}:{action.attempt}"
    return Draft(type, data, around.clock(), key=key, after=after)


def _deps(agent: Agent[Any, Any], thread: Thread) -> Any:
    if agent.deps is None:
        return None
    try:
        return agent.deps(thread.tenant)
    except Exception as error:  # the tool was not even called
        raise NothingHappened(f"deps({thread.tenant!r}) failed: {short(error)}") from error


async def _invoke(tool: Tool, action: CallTool, thread: Thread, deps: Any) -> Any:
    call: Call[Any] = Call(
        key=f"{thread.tenant}/{thread.id}/{action.step_id}",
        attempt=action.attempt,
        tenant=thread.tenant,
        thread_id=thread.id,
        deps=deps,
    )
    arguments = (action.step, call) if _takes_call(tool) else (action.step,)
    if inspect.iscoroutinefunction(tool):
        return await tool(*arguments)
    # A sync tool may block: other threads of the log go on meanwhile.
    returned = await asyncio.to_thread(tool, *arguments)
    return await returned if inspect.isawaitable(returned) else returned


def _takes_call(tool: Tool) -> bool:
    try:
        return arity(tool) == 2
    except Exception as error:  # it was not even called
        raise NothingHappened(short(error)) from error


async def _reconcile(
    action: Reconcile, thread: Thread, agent: Agent[Any, Any], around: Surroundings, after: int
) -> Draft:
    call = action.call
    data: dict[str, Json] = {
        "step": call.step_id,
        "intent": call.intent,
        "attempt": call.attempt,
        "reconciled": True,
    }
    key = f"late:outcome:{call.step_id}:{call.attempt}"
    try:
        data |= result_data(await _invoke(action.tool, call, thread, _deps(agent, thread)))
        return Draft("tool_returned", data, around.clock(), key=key, after=after)
    except NothingHappened as error:
        data |= {"error": short(error), "run_again": True}
        return Draft("tool_failed", data, around.clock(), key=key, after=after)
    except BaseException as error:
        _raise_unless_caused(error)
        data["error"] = short(error)
        key = f"reconcile:{call.step_id}:{call.attempt}"
        return Draft("tool_outcome_unknown", data, around.clock(), key=key, after=after)
