"""Forks: copy the beginning of a log into a new thread. Pure."""

from collections.abc import Iterable
from datetime import datetime

from twelvefold.exceptions import Conflict
from twelvefold.thread import Draft, Event, Json, Thread

# What an act brought. Its `after` is that of the decision, but it came later.
_FACT_KEYS = ("outcome:", "reply:", "late:", "reconcile:")
_OUTCOMES = frozenset({"tool_returned", "tool_failed", "tool_outcome_unknown"})


def fork(
    thread: Thread, at: int, *, new_id: str, now: datetime, edited: Iterable[int] = ()
) -> tuple[Thread, list[Draft]]:
    """An empty thread `new_id` and the drafts that fill it: the log up to `at`, then `forked`.

    `edited` are the events of `thread` that are not as they were recorded (`files.edited`).
    `at` is moved to the end of the decision it lies in. Raises `Conflict` when a tool is under way
    there, or `at` is outside the log.
    """
    at = _end_of_decision(thread, at)
    if running := in_flight(thread, at):
        step, seq = running
        raise Conflict(
            f"event {at} lies inside the run of {step} in {thread.id}, begun at event {seq}."
            f" Fork at {seq - 1}, or after its outcome."
        )
    drafts = [
        Draft(e.type, e.data, e.at, key=e.key, after=e.after, v=e.v) for e in thread.upto(at).events
    ]
    origin: dict[str, Json] = {"from": thread.id, "at": at}
    if changed := sorted(edited):
        origin["edited"] = changed
    drafts.append(Draft("forked", origin, now))
    return Thread(new_id, thread.agent, tenant=thread.tenant), drafts


def _end_of_decision(thread: Thread, at: int) -> int:
    if not 1 <= at <= thread.head:
        raise Conflict(f"{thread.id} has events 1 to {thread.head}, not {at}.")
    while at < thread.head and _is_one_append(thread.events[at - 1], thread.events[at]):
        at += 1
    return at


def _is_one_append(event: Event, following: Event) -> bool:
    """Whether one decision, or one edit by a person, made both."""
    if (key := following.key or "").startswith("edited:"):
        return True
    same = following.after == event.after and not key.startswith(_FACT_KEYS)
    return same and following.after is not None and following.after < event.seq


def in_flight(thread: Thread, at: int) -> tuple[str, int] | None:
    """The step and start of a run that has no outcome by `at`."""
    runs: dict[str, int] = {}
    for event in thread.upto(at).events:
        step = event.data.get("step")
        if event.type == "tool_started":
            runs[str(step)] = event.seq
        elif event.type in _OUTCOMES:
            runs.pop(str(step), None)
    return next(iter(runs.items()), None)
