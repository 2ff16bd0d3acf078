"""What an act is called, and what its fact says, for spans and metrics alike."""

from collections.abc import Mapping
from typing import Any, cast

from twelvefold.plan import Act, CallModel, CallTool, Reconcile
from twelvefold.telemetry.traceparent import TRACEPARENT, traceparent_of
from twelvefold.thread import Draft, Thread

MESSAGE = "message_received"
FAILED = frozenset({"tool_failed", "tool_outcome_unknown", "model_failed", "advance_failed"})


def model_name(action: CallModel) -> str:
    """As the application calls it, or else its vendor."""
    return str(action.model)


def traces_of(thread: Thread) -> list[tuple[int, int, int]]:
    """Trace, span and flags of whoever sent the message that began the thread, and the newest."""
    newest = next((one for one in reversed(thread.events) if one.type == MESSAGE), None)
    ends = [*thread.events[:1], *([] if newest is None else [newest])]
    found = (traceparent_of(one.data.get(TRACEPARENT)) for one in ends)
    return list(dict.fromkeys(one[1:] for one in found if one is not None))


def tool_call(action: Act) -> CallTool:
    assert not isinstance(action, CallModel)
    return action.call if isinstance(action, Reconcile) else action


def failure_of(fact: Draft) -> str | None:
    """A word for what went wrong; None for a fact that tells of no failure."""
    if fact.type not in FAILED:
        return None
    return str(fact.data.get("reason") or fact.type)


def usage_of(fact: Draft) -> Mapping[str, Any]:
    """Tokens and cost of a reply, as `messages.Usage` writes them."""
    found = fact.data.get("usage")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
