"""From an effect to the events that must exist before its I/O. Pure: time is an argument.

What remains to be done is returned as data (`CallModel`, `CallTool`), which the loop carries out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.contacts import close, expiry_timer, request
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
    Wait,
    WaitFor,
)
from twelvefold.exceptions import NotReady, RiskWall, WrongDecision
from twelvefold.limits import reached
from twelvefold.messages import ModelRequest, messages_of
from twelvefold.plan.options import ATTEMPTS_MAX, check_options
from twelvefold.plan.parts import CallModel, CallTool, Plan, Reconcile, sleep_timer
from twelvefold.policy import policy_of
from twelvefold.state import Chosen, State
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
) -> Plan:
    """What must be in the log before the effect's I/O. Raises `WrongDecision`."""
    match effect:
        case Wait():
            return Plan(waits=True)
        case All():
            return _all(cast("tuple[Any, ...]", effect.effects), state, thread, agent, now)
        case AskModel():
            return _ask_model(effect, state, thread, agent, now)
        case Choose(steps=steps):
            return _choose(steps, agent, now)
        case Run():
            return _run(effect, state, agent, now)
        case Approve() | Ask():
            return _contact(effect, state, now)
        case Finish():
            return _finish(effect, state, thread, now)
        case Compact():
            return _compact(effect, state, now)
        case Settle() | Sleep() | WaitFor():
            return _settle_or_wait(effect, state, now)
        case Delegate():
            return _delegate(effect, state, thread, now)
        case _:
            raise WrongDecision(f"decide returned {effect!r}, which is not an effect.")


def _all(
    effects: Sequence[Effect[Any, Any]],
    state: State[Any],
    thread: Thread,
    agent: Agent[Any, Any],
    now: datetime,
) -> Plan:
    """Each begins on the same state, so no two may be about one step or both ask a model."""
    about = [id(step) for e in effects if (step := getattr(e, "step", None)) is not None]
    if len(set(about)) < len(about) or sum(isinstance(e, AskModel) for e in effects) > 1:
        raise WrongDecision("All(...) holds two effects for one step, or two model calls.")
    if any(isinstance(e, All | Finish | Wait) for e in effects):
        raise WrongDecision("All(...) holds what stands alone: All, Finish or Wait.")
    plan = Plan()
    for effect in effects:
        plan.add(begin(effect, state, thread, agent, now=now))
    plan.waits = not (plan.drafts or plan.acts)
    return plan


def ready_step(state: State[Any], step: BaseModel) -> Chosen[Any]:
    """The ready step that is this very object: a copy with other arguments is another step."""
    for chosen in state.ready:
        if chosen.step is step:
            return chosen
    name = getattr(step, "intent", type(step).__name__)
    raise NotReady(
        f"{name} is not a ready step of {state.thread_id}: pass the object from state.ready."
    )


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


def _run(effect: Run[Any], state: State[Any], agent: Agent[Any, Any], now: datetime) -> Plan:
    chosen = ready_step(state, effect.step)
    check_options(effect)
    if void := _void_stale_approval(chosen, now):
        return void
    risk = risk_of(type(effect.step))
    if risk != "low" and not chosen.approved and not effect.ungated:
        raise RiskWall(
            f"{chosen.id} {chosen.intent} has {risk} risk and no settled approval. Return"
            f' Approve(step, by=...) first, or run(..., ungated="why") to let it run without.'
        )
    step = chosen.parse()
    if chosen.status == "unknown" and not effect.retry_safe and not chosen.run_again:
        return _ask_what_happened(effect, chosen, step, state, agent, now)
    attempt = chosen.attempts + 1
    started: dict[str, Json] = {
        "step": chosen.id,
        "intent": chosen.intent,
        "tool": effect.name,
        "attempt": attempt,
    }
    if chosen.approval is not None:
        started["approval"] = chosen.approval.contact
    if effect.ungated:
        started["ungated"] = effect.ungated
    if effect.in_transaction:
        started["in_transaction"] = True
    call = CallTool(effect, step, chosen.id, chosen.intent, attempt)
    return Plan(drafts=[Draft("tool_started", started, now)], acts=[call])


def _void_stale_approval(chosen: Chosen[Any], now: datetime) -> Plan | None:
    """A yes to other bytes than those that would run now: say so, and let decide ask again."""
    if chosen.approval is None or chosen.approved:
        return None
    contact = chosen.approval.contact
    data: dict[str, Json] = {
        "contact": contact,
        "step": chosen.id,
        "reason": f"the arguments or the shape of {chosen.intent} are not those that were approved",
    }
    return Plan(drafts=[Draft("contact_voided", data, now, key=f"voided:{contact}")])


def _ask_what_happened(
    effect: Run[Any],
    chosen: Chosen[Any],
    step: BaseModel,
    state: State[Any],
    agent: Agent[Any, Any],
    now: datetime,
) -> Plan:
    if effect.reconcile is not None and not chosen.reconciled and chosen.attempts < ATTEMPTS_MAX:
        call = CallTool(effect, step, chosen.id, chosen.intent, chosen.attempts)
        return Plan(acts=[Reconcile(call, effect.reconcile)])
    question = f"{effect.name} was cut off before it said what it did. Did it run?"
    return Plan(drafts=[request(state, chosen, "outcome", agent.owner, now=now, question=question)])


def _contact(effect: Approve | Ask, state: State[Any], now: datetime) -> Plan:
    chosen = ready_step(state, effect.step)
    within = effect.within
    if isinstance(effect, Ask):
        to, question = policy_of(effect.to), effect.question
        draft = request(state, chosen, "question", to, now=now, within=within, question=question)
    elif chosen.approved:
        raise WrongDecision(f"{chosen.id} {chosen.intent} is approved already: run it.")
    elif void := _void_stale_approval(chosen, now):
        return void
    else:
        to = policy_of(effect.by)
        draft = request(state, chosen, "approval", to, now=now, within=within)
    plan = Plan(drafts=[draft])
    if within is not None:
        plan.timers.append(Timer(expiry_timer(draft.data["contact"]), now + within))
    return plan


def _compact(effect: Compact, state: State[Any], now: datetime) -> Plan:
    if not state.compacted < effect.upto <= state.seq:
        raise WrongDecision(
            f"Compact(upto={effect.upto}): the log has {state.seq} events, and those up to"
            f" {state.compacted} are summed up already."
        )
    data = {"upto": effect.upto, "summary": effect.summary}
    return Plan(drafts=[Draft("context_compacted", data, now)])


def _settle_or_wait(effect: Settle | Sleep | WaitFor, state: State[Any], now: datetime) -> Plan:
    chosen = ready_step(state, effect.step)
    data: dict[str, Json] = {"step": chosen.id, "intent": chosen.intent}
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
    task = Draft("message_received", {"text": effect.task, "from": thread.id}, now, key="launch")
    create = Create(effect.agent, Parent(thread.id, chosen.id, chosen.intent))
    launch = Append(child, [task], tenant=thread.tenant, create=create, wake=True)
    return Plan(drafts=[Draft("child_launched", launched, now)], others=[launch])


def _finish(effect: Finish, state: State[Any], thread: Thread, now: datetime) -> Plan:
    chosen = None if effect.step is None else ready_step(state, effect.step)
    # A model's "done" covers what the model had read; code's covers everything.
    saw = chosen.after if chosen is not None and chosen.by == "model" else state.seq
    data: dict[str, Json] = {"message": effect.message, "saw": saw}
    if chosen is not None:
        data["step"] = chosen.id
    plan = close_all(state, "cancelled", now=now, comment="the thread finished")
    plan.drafts.append(Draft("finished", data, now))
    if not any(seq > saw for seq in state.unread):
        plan.others += report_to_parent(thread, "finished", effect.message, now=now)
    return plan


def close_all(state: State[Any], outcome: str, *, now: datetime, comment: str) -> Plan:
    """End every open contact and every timer of the thread."""
    plan = Plan()
    for contact in state.open_contacts.values():
        plan.drafts.append(close(contact, outcome, now=now, comment=comment))
        plan.cancel.append(expiry_timer(contact.id))
    plan.cancel += [sleep_timer(c.id) for c in state.open if (c.waiting or "").startswith("timer:")]
    return plan


def report_to_parent(thread: Thread, status: str, result: Json, *, now: datetime) -> list[Append]:
    """`child_finished` for the step that launched this thread, if one did."""
    if thread.parent is None:
        return []
    data: dict[str, Json] = {
        "step": thread.parent.step,
        "intent": thread.parent.intent,
        "child": thread.id,
        "status": status,
        "result": result,
    }
    draft = Draft("child_finished", data, now, key=f"child:{thread.id}")
    return [Append(thread.parent.thread, [draft], tenant=thread.tenant, wake=True)]
