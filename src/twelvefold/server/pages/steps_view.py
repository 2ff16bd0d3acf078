"""What stands around a contact in a few words: who asked for it, the message and the steps before,
and what became of its own step. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twelvefold.notices import sender_of
from twelvefold.server.pages.values import brief, brief_args
from twelvefold.state import Chosen, State
from twelvefold.thread import Thread

BEFORE_MAX = 4
"""Steps shown before the one that is asked about; the thread's own page has them all."""
BRIEF_CHARS_MAX = 90
MESSAGE_CHARS_MAX = 280

_STATES: Mapping[str, str] = {
    "open": "has not ended",
    "unknown": "nobody knows whether it ran",
    "returned": "done",
    "failed": "failed",
    "denied": "denied",
    "edited": "changed by a person",
    "withdrawn": "withdrawn",
    "closed": "ended with the thread",
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step: what, with what, and how it ended. `told` is a result or an error."""

    id: str
    intent: str
    args: str
    state: str
    told: str
    ok: bool


def requesters(state: State[Any], step: str) -> Sequence[str]:
    chosen = state.by_id(step)
    return () if chosen is None else chosen.initiators


def message_before(thread: Thread, seq: int) -> tuple[str, str] | None:
    """The newest message up to here, and who sent it."""
    for event in reversed(thread.upto(seq).events):
        if event.type == "message_received":
            return sender_of(event), brief(event.data.get("text"), MESSAGE_CHARS_MAX)
    return None


def steps_before(state: State[Any], step: str) -> Sequence[StepLine]:
    """The last ones before this step, oldest first."""
    number = int(step.removeprefix("s"))
    found = (state.by_id(f"s{n}") for n in range(max(1, number - BEFORE_MAX), number))
    return [_line(chosen) for chosen in found if chosen is not None]


def what_became_of(state: State[Any], step: str) -> str:
    """In a sentence, for the page of a contact that has ended."""
    chosen = state.by_id(step)
    if chosen is None:
        return ""
    if chosen.status == "open":
        return _under_way(chosen, state)
    told = _told(chosen)
    match chosen.status:
        case "denied" | "withdrawn" | "closed":
            return f"{chosen.intent} did not run"
        case "edited":
            return f"{chosen.intent} did not run as it was: the changed call took its place"
        case "returned":
            return f"{chosen.intent} is done" + (f": {told}" if told else "")
        case "failed":
            return f"{chosen.intent} failed" + (f": {told}" if told else "")
        case _:
            return f"nobody knows whether {chosen.intent} ran"


def _under_way(chosen: Chosen[Any], state: State[Any]) -> str:
    if chosen.waiting in state.contacts:
        return f"{chosen.intent} is asked about again"
    if chosen.waiting is not None:
        return f"{chosen.intent} runs"
    return f"{chosen.intent} runs as soon as the engine takes it up"


def _line(chosen: Chosen[Any]) -> StepLine:
    return StepLine(
        chosen.id,
        chosen.intent,
        brief_args(chosen.args, BRIEF_CHARS_MAX),
        _STATES[chosen.status],
        _told(chosen),
        chosen.status in ("returned", "edited"),
    )


def _told(chosen: Chosen[Any]) -> str:
    if chosen.status == "returned":
        return "" if chosen.result is None else brief(chosen.result, BRIEF_CHARS_MAX)
    return brief(chosen.error, BRIEF_CHARS_MAX) if chosen.error else ""
