"""What each core event must hold for the fold, by key and type. What may be absent is not listed.

A type of the user's own holds what the user wants.
"""

from collections.abc import Mapping

from twelvefold.audit import ERASED
from twelvefold.steps import CORE_EVENTS
from twelvefold.thread import EVENT_VERSION, Event

Shape = Mapping[str, type]

_STEP: Shape = {"step": str}
_CONTACT: Shape = {"contact": str}

SHAPES: Mapping[str, Shape] = {
    "next_step_chosen": {"intent": str, "args": dict, "by": str},
    "model_answered": _STEP,
    "model_failed": {"error": str},
    "tool_started": {**_STEP, "intent": str, "attempt": int},
    "tool_returned": {**_STEP, "intent": str},
    "tool_failed": {**_STEP, "error": str},
    "tool_outcome_unknown": _STEP,
    "step_settled": _STEP,
    "contact_requested": {**_CONTACT, **_STEP, "kind": str, "to": dict},
    "contact_answered": {**_CONTACT, "by": str, "decision": str},
    "contact_closed": {**_CONTACT, "outcome": str},
    "contact_voided": {**_CONTACT, **_STEP},
    "answer_refused": _CONTACT,
    "timer_set": {**_STEP, "timer": str, "due": str},
    "timer_fired": {**_STEP, "timer": str},
    "signal_awaited": {**_STEP, "signal": str},
    "signal_received": {"signal": str},
    "child_launched": {**_STEP, "child": str},
    "child_finished": {**_STEP, "child": str, "status": str},
    "limit_reached": {"limit": str},
    "advance_failed": {"error": str},
    "finished": {"saw": int},
}
_RUN = frozenset({"tool_returned", "tool_failed", "tool_outcome_unknown"})
_REPLY = frozenset({"next_step_chosen", "model_answered", "model_failed"})

KEYED: Mapping[str, frozenset[str]] = {
    "outcome:": _RUN,
    "reconcile:": _RUN,
    "late:": _RUN | {"model_superseded"},
    "reply:": _REPLY,
    "edited:": _REPLY,
    "vote:": frozenset({"contact_answered"}),
    "closed:": frozenset({"contact_closed"}),
    "voided:": frozenset({"contact_voided"}),
    "fired:": frozenset({"timer_fired"}),
    "child:": frozenset({"child_finished"}),
}
"""Which types may bear a key of the core. On another event it would keep the real fact out."""

_WORDS: Mapping[type, str] = {str: "a text", int: "a number", dict: "a map"}


def fault_of(event: Event) -> str | None:
    """What is wrong with an event, in words; None when it is whole."""
    # In a thread that was erased nothing is kept out any more: its events bear the keys they had.
    type = event.data.get("type") if event.type == ERASED else event.type
    for prefix, types in KEYED.items():
        if (event.key or "").startswith(prefix) and type not in types:
            return f"the key {event.key!r} belongs to {' or '.join(sorted(types))}"
    if event.type not in CORE_EVENTS:
        return None
    if event.v > EVENT_VERSION:
        return (
            f"{event.type} has version {event.v}, and this twelvefold reads version"
            f" {EVENT_VERSION}. Upgrade this installation"
        )
    for name, kind in SHAPES.get(event.type, {}).items():
        if name not in event.data:
            return f"{event.type} needs {name!r}"
        if not isinstance(event.data[name], kind):
            return f"{name!r} of {event.type} must be {_WORDS[kind]}"
    return None
