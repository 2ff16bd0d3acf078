"""What is asked of people: approvals, questions, and whether a cut-off run took place. Pure."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.contacts import close, first_timers, request, terms_of, void_approval
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Ask, Run
from twelvefold.exceptions import WrongDecision
from twelvefold.plan.options import ATTEMPTS_MAX
from twelvefold.plan.parts import CallTool, Plan, Reconcile, ready_step
from twelvefold.plan.rules import ruling, settled_by_rule
from twelvefold.policy import checked_policy
from twelvefold.state import Chosen, State, contact_of
from twelvefold.thread import Draft, Thread


def ask_people(
    effect: Approve | Ask,
    state: State[Any],
    thread: Thread,
    now: datetime,
    directory: Directory | None,
) -> Plan:
    chosen = ready_step(state, effect.step)
    initiators, within = chosen.initiators, effect.within
    terms = dict(terms_of(effect, directory, initiators=initiators))
    if isinstance(effect, Ask):
        to, asks = checked_policy(effect.to, directory, initiators=initiators), effect.question
        return _asked(
            request(
                state, chosen, "question", to, now=now, within=within, question=asks, terms=terms
            )
        )
    if chosen.approved:
        raise WrongDecision(f"{chosen.id} {chosen.intent} is approved already: run it.")
    if void := void_approval(state, chosen, directory, now=now):
        return Plan(drafts=[void])
    to = checked_policy(effect.by, directory, initiators=initiators)
    if effect.unless is not None:
        terms["unless"] = ruling(effect.unless, chosen, state, thread)
    draft = request(state, chosen, "approval", to, now=now, within=within, terms=terms)
    return _asked(draft, _settled_by_edit(draft, chosen, directory))


def _settled_by_edit(
    request: Draft, chosen: Chosen[Any], directory: Directory | None
) -> Draft | None:
    """`contact_closed` where it takes no more than the yes of whoever edited the step into what it
    is. A replay, which asks nobody who they are, leaves that open."""
    if directory is None or chosen.person is None or not chosen.edit_counts:
        return None
    contact = contact_of(request.data, asked_at=request.at, seq=0)
    if not contact.policy.met_by([chosen.person], directory, initiators=chosen.initiators):
        return None
    return close(contact, "approved", now=request.at, by=chosen.person)


def _asked(draft: Draft, by_edit: Draft | None = None) -> Plan:
    """Nobody is waited for where a rule, or an edit, has answered in the same commit."""
    closed = by_edit or settled_by_rule(draft, now=draft.at)
    if closed is not None:
        return Plan(drafts=[draft, closed])
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
