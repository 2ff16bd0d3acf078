"""What is asked of people: approvals, questions, and whether a cut-off run took place. Pure."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.contacts import first_timers, request, terms_of, void_approval
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Ask, Run
from twelvefold.exceptions import WrongDecision
from twelvefold.plan.options import ATTEMPTS_MAX
from twelvefold.plan.parts import CallTool, Plan, Reconcile, ready_step
from twelvefold.policy import checked_policy
from twelvefold.state import Chosen, State


def ask_people(
    effect: Approve | Ask, state: State[Any], now: datetime, directory: Directory | None
) -> Plan:
    chosen = ready_step(state, effect.step)
    initiators, within = chosen.initiators, effect.within
    terms = terms_of(effect, directory, initiators=initiators)
    if isinstance(effect, Ask):
        to = checked_policy(effect.to, directory, initiators=initiators)
        question = effect.question
        draft = request(
            state, chosen, "question", to, now=now, within=within, question=question, terms=terms
        )
    elif chosen.approved:
        raise WrongDecision(f"{chosen.id} {chosen.intent} is approved already: run it.")
    elif void := void_approval(state, chosen, directory, now=now):
        return Plan(drafts=[void])
    else:
        to = checked_policy(effect.by, directory, initiators=initiators)
        draft = request(state, chosen, "approval", to, now=now, within=within, terms=terms)
    return Plan(drafts=[draft], timers=first_timers(draft))


def ask_what_happened(
    effect: Run[Any],
    chosen: Chosen[Any],
    step: BaseModel,
    state: State[Any],
    agent: Agent[Any, Any],
    now: datetime,
    directory: Directory | None,
) -> Plan:
    if effect.reconcile is not None and not chosen.reconciled and chosen.attempts < ATTEMPTS_MAX:
        call = CallTool(effect, step, chosen.id, chosen.intent, chosen.attempts)
        return Plan(acts=[Reconcile(call, effect.reconcile)])
    question = f"{effect.name} was cut off before it said what it did. Did it run?"
    owner = checked_policy(agent.owner, directory, initiators=chosen.initiators)
    return Plan(drafts=[request(state, chosen, "outcome", owner, now=now, question=question)])
