"""Rules that say yes in the place of people, and where they may not. Pure."""

from datetime import datetime
from typing import Any

from twelvefold.contacts import close
from twelvefold.context.provenance import taint
from twelvefold.effects import Rule
from twelvefold.exceptions import WrongDecision
from twelvefold.state import Chosen, State, contact_of
from twelvefold.steps import risk_of
from twelvefold.thread import Draft, Json, Thread


def ruling(rule: Rule, chosen: Chosen[Any], state: State[Any], thread: Thread) -> dict[str, Json]:
    """What a request says of its rule: whether it held, and why it is ignored nevertheless."""
    if not rule.name:
        raise WrongDecision("rule(...) needs a name: it is what people read in the place of one.")
    said: dict[str, Json] = {"rule": rule.name, "held": rule.holds}
    if rule.holds and (why := _ignored(rule, chosen, state, thread)):
        said["ignored"] = why
    return said


def _ignored(rule: Rule, chosen: Chosen[Any], state: State[Any], thread: Thread) -> str | None:
    if risk_of(state.classes[chosen.intent]) == "high":
        return "the step has high risk"
    if chosen.status == "unknown":
        return "its last run may have happened"
    if outsiders := taint(thread, rule.source):
        return f"words from outside: {', '.join(outsiders)}"
    return None


def settled_by_rule(request: Draft, *, now: datetime) -> Draft | None:
    """`contact_closed` for a request whose rule holds and is not ignored."""
    said = request.data.get("unless", {})
    if not said.get("held") or "ignored" in said:
        return None
    contact = contact_of(request.data, asked_at=now, seq=0)
    return close(contact, "approved", now=now, by=f"rule: {said['rule']}", rule=said["rule"])
