"""What advance does besides decide: orphaned runs, steps that no longer parse, contacts that lost
their step. Pure."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from twelvefold.agent import Agent
from twelvefold.contacts import MESSAGE_CAME, close, is_withdrawn, request, timers_of
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.exceptions import NewerEvent
from twelvefold.plan.parts import Plan
from twelvefold.policy import checked_policy
from twelvefold.state import Chosen, Contact, State
from twelvefold.thread import EVENT_VERSION, Draft, Json


def recover(
    state: State[Any],
    agent: Agent[Any, Any],
    *,
    in_flight: Collection[str],
    now: datetime,
    directory: Directory | None = NAMES_ALONE,
) -> Plan:
    """What the log needs before `decide` is asked; an empty plan, as a rule.

    `in_flight` holds the ids of steps whose tool runs in this very advance; `directory` says who
    its owner is now. Raises `NewerEvent`: nothing may be decided on a log of which a part is not
    understood.
    """
    if state.newer is not None:
        raise NewerEvent(
            f"event {state.newer.seq} ({state.newer.type}) has version {state.newer.v}, and this"
            f" twelvefold reads version {EVENT_VERSION}. Upgrade, then `twelvefold retry`."
        )
    plan, still_open = Plan(), state.open
    for chosen in still_open:
        if (chosen.waiting or "").startswith("run:") and chosen.id not in in_flight:
            plan.drafts.append(_orphan(chosen, now))
    for contact in list(state.open_contacts.values()):
        if outcome := _ended(state, contact):
            word, comment = outcome
            plan.drafts.append(close(contact, word, now=now, comment=comment))
            plan.cancel += timers_of(contact)
    if still_open and not plan.drafts:
        # A voided approval is folded first: its step may be unreadable, too.
        for chosen in state.unreadable:
            owner = checked_policy(agent.owner, directory, initiators=chosen.initiators)
            question = f"{chosen.intent} no longer parses: {chosen.unreadable}"
            if chosen.status == "unknown":
                question += " Its last run was cut off and may have happened."
            plan.drafts.append(request(state, chosen, "repair", owner, now=now, question=question))
    return plan


def _orphan(chosen: Chosen[Any], now: datetime) -> Draft:
    """The process that started this run is dead or fenced."""
    data: dict[str, Json] = {
        "step": chosen.id,
        "intent": chosen.intent,
        "attempt": chosen.attempts,
        "reason": "the process that ran it ended before an outcome was recorded",
        "by": "advance",
    }
    key = f"outcome:{chosen.id}:{chosen.attempts}"
    if not chosen.run_again:
        return Draft("tool_outcome_unknown", data, now, key=key)
    data |= {"error": "its transaction was never committed", "run_again": True}
    return Draft("tool_failed", data, now, key=key)


def _ended(state: State[Any], contact: Contact) -> tuple[str, str] | None:
    """How an open contact has ended by itself, and why."""
    if comment := _lost(state, contact):
        return "voided", comment
    return ("withdrawn", MESSAGE_CAME) if is_withdrawn(state, contact) else None


def _lost(state: State[Any], contact: Contact) -> str | None:
    """Why an open contact can no longer be answered."""
    chosen = state.open_step(contact.step)
    if chosen is None or chosen.waiting != contact.id:
        return f"{contact.step} was settled otherwise"
    if contact.digest is not None and chosen.digest(contact.id) != contact.digest:
        return f"the arguments or the shape of {contact.intent} changed since this was asked"
    if contact.kind == "repair" and chosen.readable:
        return f"{contact.intent} parses again"
    return None
