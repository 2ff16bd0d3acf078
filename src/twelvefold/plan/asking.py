"""What is asked of people: approvals, questions, and whether a cut-off run took place. Pure."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.contacts import expiry_timer, request
from twelvefold.effects import Approve, Ask, Run
from twelvefold.exceptions import WrongDecision
from twelvefold.plan.options import ATTEMPTS_MAX
from twelvefold.plan.parts import CallTool, Plan, Reconcile, ready_step
from twelvefold.policy import policy_of
from twelvefold.state import Chosen, State
from twelvefold.store import Timer
from twelvefold.thread import Draft, Json


def ask_people(effect: Approve | Ask, state: State[Any], now: datetime) -> Plan:
    chosen = ready_step(state, effect.step)
    within = effect.within
    if isinstance(effect, Ask):
        to, question = policy_of(effect.to), effect.question
        draft = request(state, chosen, "question", to, now=now, within=within, question=question)
    elif chosen.approved:
        raise WrongDecision(f"{chosen.id} {chosen.intent} is approved already: run it.")
    elif void := void_stale_approval(chosen, now):
        return void
    else:
        to = policy_of(effect.by)
        draft = request(state, chosen, "approval", to, now=now, within=within)
    plan = Plan(drafts=[draft])
    if within is not None:
        plan.timers.append(Timer(expiry_timer(draft.data["contact"]), now + within))
    return plan


def void_stale_approval(chosen: Chosen[Any], now: datetime) -> Plan | None:
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


def ask_what_happened(
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
