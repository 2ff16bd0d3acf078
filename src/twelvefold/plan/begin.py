"""From an effect to the events that must exist before its I/O. Pure: time is an argument.

What remains to be done is returned as data (`CallModel`, `CallTool`), which the loop carries out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.contacts import void_approval
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.effects import (
    All,
    Approve,
    Ask,
    AskModel,
    Choose,
    Compact,
    Delegate,
    Effect,
    Finish,
    Run,
    Settle,
    Sleep,
    Tell,
    Wait,
    WaitFor,
)
from twelvefold.exceptions import RiskWall, WrongDecision
from twelvefold.limits import reached
from twelvefold.messages import ModelRequest, messages_of
from twelvefold.plan.asking import ask_people, ask_what_happened
from twelvefold.plan.ending import finish
from twelvefold.plan.options import check_options
from twelvefold.plan.parts import CallModel, CallTool, Plan, ready_step, sleep_timer
from twelvefold.plan.wrong import no_effect
from twelvefold.policy import policy_of
from twelvefold.state import State
from twelvefold.steps import args_of, intent_of, members, risk_of
from twelvefold.store import Append, Create, Timer
from twelvefold.thread import Draft, Json, Parent, Thread, to_iso
from twelvefold.tools import schema_of


def begin(
    effect: Effect[Any, Any],
    state: State[Any],
    thread: Thread,
    agent: Agent[Any, Any],
    *,
    now: datetime,
    directory: Directory | None = NAMES_ALONE,
) -> Plan:
    """What must be in the log before the effect's I/O. Raises `WrongDecision`.

    `directory`: who may decide, as of now; None asks nobody who they are (a replay).
    """
    match effect:
        case Wait():
            return Plan(waits=True)
        case All():
            each = cast("tuple[Any, ...]", effect.effects)
            return _all(each, state, thread, agent, now, directory)
        case AskModel():
            return _ask_model(effect, state, thread, agent, now)
        case Choose(steps=steps):
            return _choose(steps, agent, now)
        case Run():
            return _run(effect, state, agent, now, directory)
        case Approve() | Ask():
            return ask_people(effect, state, thread, now, directory)
        case Finish():
            return finish(effect, state, thread, now)
        case Compact():
            return _compact(effect, state, now)
        case Settle() | Tell() | Sleep() | WaitFor():
            return _settle_or_wait(effect, state, now)
        case Delegate():
            return _delegate(effect, state, thread, now)
        case _:
            raise no_effect(effect, state, agent)


def _all(
    effects: Sequence[Effect[Any, Any]],
    state: State[Any],
    thread: Thread,
    agent: Agent[Any, Any],
    now: datetime,
    directory: Directory | None,
) -> Plan:
    """Each begins on the same state, so no two may be about one step or both ask a model."""
    about = [id(step) for e in effects if (step := getattr(e, "step", None)) is not None]
    if len(set(about)) < len(about) or sum(isinstance(e, AskModel) for e in effects) > 1:
        raise WrongDecision("All(...) holds two effects for one step, or two model calls.")
    if any(isinstance(e, All | Finish | Wait) for e in effects):
        raise WrongDecision("All(...) holds what stands alone: All, Finish or Wait.")
    plan = Plan()
    for effect in effects:
        plan.add(begin(effect, state, thread, agent, now=now, directory=directory))
    plan.waits = not (plan.drafts or plan.acts)
    return plan


def chosen_draft(step: BaseModel, *, by: str, now: datetime, **more: Json) -> Draft:
    data = {"intent": intent_of(type(step)), "args": args_of(step), "by": by}
    return Draft("next_step_chosen", data | more, now)


def _choose(steps: Sequence[BaseModel], agent: Agent[Any, Any], now: datetime) -> Plan:
    if not steps:
        raise WrongDecision("Choose() names no step: return Wait() to wait.")
    classes = members(agent.steps)
    for step in steps:
        if classes.get(intent_of(type(step))) is not type(step):
            raise WrongDecision(f"{type(step).__name__} is not a step of the agent {agent.name}.")
    return Plan(drafts=[chosen_draft(step, by="code", now=now) for step in steps])


def _ask_model(
    ask: AskModel[Any], state: State[Any], thread: Thread, agent: Agent[Any, Any], now: datetime
) -> Plan:
    chosen = None if ask.step is None else ready_step(state, ask.step)
    if chosen is None and state.waiting and not ask.while_waiting:
        return Plan(waits=True)
    hit = None if agent.limits is None else reached(agent.limits, state.spent, now=now)
    if hit is not None:
        data = {"limit": hit.limit, "used": hit.used, "allowed": hit.allowed, "by": "advance"}
        return Plan(waits=True, drafts=[Draft("limit_reached", data, now)])
    model_request = ModelRequest(
        messages=messages_of(ask.prompt),
        schema=None if ask.answer is str else schema_of(ask.answer if chosen else ask.steps),
        tenant=thread.tenant,
        thread_id=thread.id,
        agent=agent.name,
        turn=state.model_calls + 1,
    )
    if chosen is None:
        return Plan(acts=[CallModel(model_request, ask.steps, ask.model)])
    call = CallModel(model_request, None, ask.model, ask.answer, chosen.id, chosen.intent)
    return Plan(acts=[call])


def _run(
    effect: Run[Any],
    state: State[Any],
    agent: Agent[Any, Any],
    now: datetime,
    directory: Directory | None,
) -> Plan:
    chosen = ready_step(state, effect.step)
    check_options(effect)
    if void := void_approval(state, chosen, directory, now=now):
        return Plan(drafts=[void])
    risk = risk_of(type(effect.step))
    if risk != "low" and not chosen.approved and not effect.ungated:
        raise RiskWall(
            f"{chosen.id} {chosen.intent} has {risk} risk and no settled approval. Return"
            f' Approve(step, by=...) first, or run(..., ungated="why") to let it run without.'
        )
    step = chosen.parse()
    if chosen.status == "unknown" and not effect.retry_safe and not chosen.run_again:
        return ask_what_happened(effect, chosen, step, state, agent, now, directory)
    attempt = chosen.attempts + 1
    started: dict[str, Json] = {
        "step": chosen.id,
        "intent": chosen.intent,
        "tool": effect.name,
        "attempt": attempt,
    }
    if chosen.approval is not None:
        started["approval"] = chosen.approval.contact
        started |= {} if directory is None else directory.stamp()
    if effect.ungated:
        started["ungated"] = effect.ungated
    if effect.in_transaction:
        started["in_transaction"] = True
    call = CallTool(effect, step, chosen.id, chosen.intent, attempt)
    return Plan(drafts=[Draft("tool_started", started, now)], acts=[call])


def _compact(effect: Compact, state: State[Any], now: datetime) -> Plan:
    if not state.compacted < effect.upto <= state.seq:
        raise WrongDecision(
            f"Compact(upto={effect.upto}): the log has {state.seq} events, and those up to"
            f" {state.compacted} are summed up already."
        )
    data = {"upto": effect.upto, "summary": effect.summary}
    return Plan(drafts=[Draft("context_compacted", data, now)])


def _settle_or_wait(
    effect: Settle | Tell | Sleep | WaitFor, state: State[Any], now: datetime
) -> Plan:
    chosen = ready_step(state, effect.step)
    data: dict[str, Json] = {"step": chosen.id, "intent": chosen.intent}
    if isinstance(effect, Tell):
        to = None if effect.to is None else policy_of(effect.to).to_data()
        data |= {"result": None, "by": "code", "told": {"text": effect.text, "to": to}}
        return Plan(drafts=[Draft("step_settled", data, now)])
    if isinstance(effect, Settle):
        data |= {"result": effect.result, "by": "code"}
        return Plan(drafts=[Draft("step_settled", data, now)])
    if isinstance(effect, WaitFor):
        return Plan(drafts=[Draft("signal_awaited", data | {"signal": effect.signal}, now)])
    data |= {"timer": chosen.id, "due": to_iso(effect.until)}
    timer = Timer(sleep_timer(chosen.id), effect.until)
    return Plan(drafts=[Draft("timer_set", data, now)], timers=[timer])


def _delegate(effect: Delegate, state: State[Any], thread: Thread, now: datetime) -> Plan:
    chosen = ready_step(state, effect.step)
    child = f"{thread.id}.{chosen.id}"
    launched: dict[str, Json] = {
        "step": chosen.id,
        "intent": chosen.intent,
        "child": child,
        "agent": effect.agent,
        "task": effect.task,
    }
    message: dict[str, Json] = {"text": effect.task, "from": thread.id}
    if chosen.initiators:
        message["initiators"] = list(chosen.initiators)
    task = Draft("message_received", message, now, key="launch")
    create = Create(effect.agent, Parent(thread.id, chosen.id, chosen.intent))
    launch = Append(child, [task], tenant=thread.tenant, create=create, wake=True)
    return Plan(drafts=[Draft("child_launched", launched, now)], others=[launch])
