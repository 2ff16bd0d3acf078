"""Fold events into State. What an event means is decided here and nowhere else.

Pure: no clock, no I/O. Unknown event types change nothing, and neither do events about settled
steps or closed contacts, so the fold never fails on an old or a strange log. A core event of a
newer version changes nothing either, and is remembered as `state.newer`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel
from typing_extensions import TypeForm

from twelvefold.attachments import attachment_of
from twelvefold.reducer.contacts import CONTACTS
from twelvefold.state import Chosen, Spent, State, Upcaster
from twelvefold.steps import CORE_EVENTS
from twelvefold.thread import DELIVERY_RECORDS, EVENT_VERSION, Event, Thread

S = TypeVar("S", bound=BaseModel)


def reduce(
    thread: Thread, steps: TypeForm[S], *, upcasters: Mapping[str, Upcaster] | None = None
) -> State[S]:
    """The state after every event of the thread."""
    state: State[S] = State(thread, steps, upcasters=upcasters)
    for event in thread.events:
        fold(state, event)
    return state


def read(thread: Thread) -> State[Any]:
    """The state as it can be known without an agent: no step can be parsed, all else is there."""
    state: State[Any] = State(thread)
    for event in thread.events:
        fold(state, event)
    return state


def fold(state: State[Any], event: Event) -> None:
    """Apply one event to `state`, in place."""
    state.seq, state.now = event.seq, event.at
    if state.failed is not None and event.type not in DELIVERY_RECORDS:
        state.failed = None  # a failed thread is tried again on any new event
    if event.v > EVENT_VERSION and event.type in CORE_EVENTS:
        state.newer = state.newer or event  # what it means is not known here: advance parks
    elif apply := _APPLY.get(event.type):
        apply(state, event)


def _message_received(state: State[Any], event: Event) -> None:
    state.finished = False
    state.unread.append(event.seq)
    state.messages.append((event.seq, _senders(event)))
    state.hear(event.at)


def _senders(event: Event) -> tuple[str, ...]:
    """A task comes from a thread, and names the people behind it."""
    sender = event.data.get("from")
    given = event.data.get("initiators", [] if sender is None else [sender])
    return tuple(map(str, given))


def _next_step_chosen(state: State[Any], event: Event) -> None:
    state.remember(event)
    if event.data["by"] == "model":
        state.count_call(event.data.get("usage"))
        saw = event.seq if event.after is None else event.after
        state.unread = [seq for seq in state.unread if seq > saw]


def _model_failed(state: State[Any], event: Event) -> None:
    state.count_call(event.data.get("usage"))
    state.count_failure(str(event.data.get("error") or ""))


def _model_answered(state: State[Any], event: Event) -> None:
    state.count_call(event.data.get("usage"))
    if chosen := state.open_step(event.data["step"]):
        chosen.settle("returned", result=event.data["answer"])


def _model_superseded(state: State[Any], event: Event) -> None:
    state.add_usage(event.data.get("usage"))


def _tool_started(state: State[Any], event: Event) -> None:
    if chosen := state.open_step(event.data["step"]):
        chosen.attempts = event.data["attempt"]
        chosen.waiting = f"run:{chosen.attempts}"
        chosen.status = "open"
        chosen.run_again = event.data.get("in_transaction", False)
        chosen.reconciled = False


def _run_of(state: State[Any], event: Event) -> Chosen[Any] | None:
    """The open step whose run ended so; None for a run that a fork or an import left behind."""
    chosen, data = state.open_step(event.data["step"]), event.data
    if chosen is None or data.get("reconciled"):  # what is asked now is about this log
        return chosen
    return chosen if data.get("attempt", chosen.first_attempt) >= chosen.first_attempt else None


def _tool_returned(state: State[Any], event: Event) -> None:
    if chosen := _run_of(state, event):
        result = attachment_of(event.data) or event.data.get("result")
        chosen.settle("returned", result=result)
        state.recover()
        state.failures_of.pop(chosen.intent, None)


def _tool_failed(state: State[Any], event: Event) -> None:
    chosen = _run_of(state, event)
    if chosen is None or event.data.get("attempt", chosen.attempts) < chosen.attempts:
        return  # settled, or a newer attempt decides
    if event.data.get("run_again"):  # the step stays: `reconcile` found that nothing had happened
        chosen.waiting, chosen.status, chosen.run_again = None, "open", True
        return
    chosen.settle("failed", error=event.data["error"])
    state.count_failure(f"{chosen.intent}: {chosen.error}")
    state.failures_of[chosen.intent] = state.failures_of.get(chosen.intent, 0) + 1


def _tool_outcome_unknown(state: State[Any], event: Event) -> None:
    if chosen := _run_of(state, event):
        chosen.waiting, chosen.status = None, "unknown"
        chosen.reconciled = event.data.get("reconciled", False)


def _step_settled(state: State[Any], event: Event) -> None:
    if chosen := state.open_step(event.data["step"]):
        chosen.settle("returned", result=event.data.get("result"))


_AWAITED = {"timer_set": "timer", "child_launched": "child"}


def _awaits(state: State[Any], event: Event) -> None:
    if chosen := state.open_step(event.data["step"]):
        what = _AWAITED[event.type]
        chosen.waiting = f"{what}:{event.data[what]}"


def _timer_fired(state: State[Any], event: Event) -> None:
    chosen = state.open_step(event.data.get("step"))
    if chosen is not None and chosen.waiting == f"timer:{event.data['timer']}":
        chosen.settle("returned")


def _signal_awaited(state: State[Any], event: Event) -> None:
    """One that came before anybody waited for it ends the wait at once: the oldest first."""
    chosen, name = state.open_step(event.data["step"]), event.data["signal"]
    if chosen is None:
        return
    if kept := state.signals.get(name):
        chosen.settle("returned", result=kept.pop(0))
    else:
        chosen.waiting = f"signal:{name}"


def _signal_received(state: State[Any], event: Event) -> None:
    """One signal ends one wait, that of the oldest step; without one it is kept."""
    name, data = event.data["signal"], event.data.get("data")
    for chosen in state.open:
        if chosen.waiting == f"signal:{name}":
            return chosen.settle("returned", result=data)
    state.signals.setdefault(name, []).append(data)


def _child_finished(state: State[Any], event: Event) -> None:
    if given := event.data.get("initiators"):
        state.told.append((event.seq, tuple(map(str, given))))
    chosen = state.open_step(event.data["step"])
    if chosen is None or chosen.waiting != f"child:{event.data['child']}":
        return
    if event.data["status"] == "finished":
        chosen.settle("returned", result=event.data["result"])
        state.recover()
    else:
        chosen.settle("failed", error=f"{event.data['child']} was {event.data['status']}")


def _control(state: State[Any], event: Event) -> None:
    match event.type:
        case "limit_reached":
            state.limited = event.data["limit"]
        case "advance_failed":
            state.failed = event.data["error"]
        case "paused":
            state.paused = True
        case "context_compacted":
            state.compacted = event.data.get("upto", state.compacted)
        case "resumed":
            state.paused, state.limited = False, None
            state.spent = Spent(since=event.at)
        case _:
            state.cancelled = True
            _end_all(state)


def _finished(state: State[Any], event: Event) -> None:
    state.unread = [seq for seq in state.unread if seq > event.data["saw"]]
    state.finished = not state.unread
    _end_all(state)


def _end_all(state: State[Any]) -> None:
    for chosen in state.open:
        chosen.settle("closed")


def _forked(state: State[Any], event: Event) -> None:
    """What was open belongs to the original, and its effects have other keys: steps are ready
    again. Who changed the copy stands behind each of them."""
    if "edited" in event.data:
        _brought(state, event)
    _leave_behind(state, event)
    for chosen in state.open:
        chosen.status, chosen.run_again, chosen.reconciled = "open", False, False


def _imported(state: State[Any], event: Event) -> None:
    """As a fork, but for the runs: their effects have the same keys here, and may have happened."""
    _brought(state, event)
    for chosen in state.open:
        if (chosen.waiting or "").startswith("run:"):
            chosen.status, chosen.run_again = "unknown", False
    _leave_behind(state, event)


def _brought(state: State[Any], event: Event) -> None:
    if by := event.data.get("by"):
        state.told.append((0, (str(by),)))


def _leave_behind(state: State[Any], event: Event) -> None:
    """Contacts, approvals, timers, children and runs end here. Attempts go on counting, since the
    copied outcomes keep their keys."""
    for contact in state.open_contacts.values():
        contact.outcome, contact.closed_at = "voided", event.at
    state.open_contacts.clear()
    for chosen in state.open:
        chosen.waiting = chosen.approval = None
        chosen.first_attempt = chosen.attempts + 1


_APPLY: Mapping[str, Callable[[State[Any], Event], None]] = {
    **CONTACTS,
    "message_received": _message_received,
    "next_step_chosen": _next_step_chosen,
    "model_failed": _model_failed,
    "model_answered": _model_answered,
    "model_superseded": _model_superseded,
    "tool_started": _tool_started,
    "tool_returned": _tool_returned,
    "tool_failed": _tool_failed,
    "tool_outcome_unknown": _tool_outcome_unknown,
    "step_settled": _step_settled,
    "timer_set": _awaits,
    "timer_fired": _timer_fired,
    "signal_awaited": _signal_awaited,
    "signal_received": _signal_received,
    "child_launched": _awaits,
    "child_finished": _child_finished,
    "limit_reached": _control,
    "advance_failed": _control,
    "paused": _control,
    "context_compacted": _control,
    "resumed": _control,
    "cancelled": _control,
    "erased": _control,
    "finished": _finished,
    "forked": _forked,
    "imported": _imported,
}
