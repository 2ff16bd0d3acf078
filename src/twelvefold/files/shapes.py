"""What each core event must hold for the fold, by key and type. What may be absent is not listed.

A type of the user's own holds what the user wants.
"""

from collections.abc import Mapping

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
_WORDS: Mapping[type, str] = {str: "a text", int: "a number", dict: "a map"}


def fault_of(event: Event) -> str | None:
    """What is wrong with a core event, in words; None when it is whole or of the user's own."""
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
