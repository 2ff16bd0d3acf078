"""Facts are appended whatever arrived, each of them once, and a late one still is a fact."""

from collections.abc import Sequence

from twelvefold.plan import sleep_timer
from twelvefold.store import Append, Ref, Store
from twelvefold.thread import Draft, Event


async def record(store: Store, ref: Ref, draft: Draft, *, wake: bool) -> None:
    """Append a fact, whoever owns the thread now.

    An outcome that comes after its run was declared unknown, or failed by its timeout, still is a
    fact: it settles the step if nothing else has. A second reply to one model call is kept for its
    cost and chooses nothing.
    """
    fact: Draft | None = draft
    while fact is not None:
        [stored] = await store.commit(_append(ref, fact, wake=wake))
        fact = _late(stored[0], fact)


def record_now(store: Store, ref: Ref, draft: Draft, *, wake: bool) -> None:
    """As `record`, for a thread without an event loop."""
    fact: Draft | None = draft
    while fact is not None:
        [stored] = store.commit_now(_append(ref, fact, wake=wake))
        fact = _late(stored[0], fact)


def sleeps_ended(facts: Sequence[Draft]) -> list[str]:
    """Timers that late outcomes end: a step may sleep while nobody knows what its run has done."""
    late = [fact for fact in facts if (fact.key or "").startswith("late:") and "step" in fact.data]
    return [sleep_timer(fact.data["step"]) for fact in late]


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
