"""Facts are appended whatever arrived, each of them once, and a late one still is a fact.

What a tool has done cannot be done again, so a store that does not answer is asked for a while.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence

from twelvefold.exceptions import StoreUnavailable
from twelvefold.plan import sleep_timer
from twelvefold.store import Append, Ref, Store
from twelvefold.thread import Draft, Event

PATIENCE_S = 20.0
"""How long a store may be away, as a server that starts anew, before a fact is given up."""
PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 1.0


async def record(store: Store, ref: Ref, draft: Draft, *, wake: bool) -> None:
    """Append a fact, whoever owns the thread now.

    An outcome that comes after its run was declared unknown, or failed by its timeout, still is a
    fact: it settles the step if nothing else has. A second reply to one model call is kept for its
    cost and chooses nothing.
    """
    fact: Draft | None = draft
    while fact is not None:
        stored = await _kept(store, _append(ref, fact, wake=wake))
        # Who settled it first may be at rest, and whoever is late may not live to go on.
        fact, wake = _late(stored[0], fact), True


def record_now(store: Store, ref: Ref, draft: Draft, *, wake: bool) -> None:
    """As `record`, for a thread without an event loop."""
    fact: Draft | None = draft
    while fact is not None:
        stored = _kept_now(store, _append(ref, fact, wake=wake))
        fact = _late(stored[0], fact)


def sleeps_ended(facts: Sequence[Draft]) -> list[str]:
    """Timers that late outcomes end: a step may sleep while nobody knows what its run has done."""
    return [
        sleep_timer(fact.data["step"])
        for fact in facts
        if fact.key is not None and fact.key.startswith("late:") and "step" in fact.data
    ]


async def _kept(store: Store, append: Append) -> list[Event]:
    for pause_s in _pauses():
        try:
            return (await store.commit(append))[0]
        except StoreUnavailable as error:
            if not error.retryable:
                raise
        await asyncio.sleep(pause_s)
    return (await store.commit(append))[0]


def _kept_now(store: Store, append: Append) -> list[Event]:
    for pause_s in _pauses():
        try:
            return store.commit_now(append)[0]
        except StoreUnavailable as error:
            if not error.retryable:
                raise
        time.sleep(pause_s)
    return store.commit_now(append)[0]


def _pauses() -> Iterator[float]:
    """Between tries, until the patience is over."""
    until, pause_s = time.monotonic() + PATIENCE_S, PAUSE_FIRST_S
    while time.monotonic() < until:
        yield pause_s
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


def _append(ref: Ref, fact: Draft, *, wake: bool) -> Append:
    return Append(ref.id, [fact], tenant=ref.tenant, wake=wake, cancel=sleeps_ended([fact]))


def _late(stored: Event, draft: Draft) -> Draft | None:
    """The second fact under one key, as it is kept; None when it says nothing new."""
    if (type := _late_type(stored, draft)) is None:
        return None
    return Draft(type, draft.data, draft.at, key=f"late:{draft.key}", after=draft.after)


def _late_type(stored: Event, draft: Draft) -> str | None:
    if stored.data == draft.data:
        return None
    if (draft.key or "").startswith("reply:"):
        return "model_superseded"
    if stored.type == "tool_outcome_unknown" != draft.type:
        return draft.type
    # A timeout, or `reconcile`, spoke too soon.
    return draft.type if (stored.type, draft.type) == ("tool_failed", "tool_returned") else None
