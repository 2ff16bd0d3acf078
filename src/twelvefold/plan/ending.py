"""A thread ends: what was open closes, and who launched it learns of it. Pure."""

from datetime import datetime
from typing import Any

from twelvefold.contacts import close, timers_of
from twelvefold.effects import Finish
from twelvefold.plan.parts import Plan, ready_step, sleep_timer
from twelvefold.state import State
from twelvefold.store import Append
from twelvefold.thread import Draft, Json, Thread


def finish(effect: Finish, state: State[Any], thread: Thread, now: datetime) -> Plan:
    chosen = None if effect.step is None else ready_step(state, effect.step)
    # A model's "done" covers what the model had read; code's covers everything.
    saw = chosen.after if chosen is not None and chosen.by == "model" else state.seq
    data: dict[str, Json] = {"message": effect.message, "saw": saw}
    if chosen is not None:
        data["step"] = chosen.id
    plan = close_all(state, "cancelled", now=now, comment="the thread finished")
    plan.drafts.append(Draft("finished", data, now))
    if not any(seq > saw for seq in state.unread):
        plan.others += report_to_parent(thread, state, "finished", effect.message, now=now)
    return plan


def close_all(state: State[Any], outcome: str, *, now: datetime, comment: str) -> Plan:
    """End every open contact and every timer of the thread."""
    plan = Plan()
    for contact in state.open_contacts.values():
        plan.drafts.append(close(contact, outcome, now=now, comment=comment))
        plan.cancel += timers_of(contact)
    plan.cancel += [sleep_timer(c.id) for c in state.open if (c.waiting or "").startswith("timer:")]
    return plan


def report_to_parent(
    thread: Thread, state: State[Any], status: str, result: Json, *, now: datetime
) -> list[Append]:
    """`child_finished` for the step that launched this thread, if one did. It names who else than
    those behind the task has told this thread something: what it brings may be theirs."""
    if thread.parent is None:
        return []
    data: dict[str, Json] = {
        "step": thread.parent.step,
        "intent": thread.parent.intent,
        "child": thread.id,
        "status": status,
        "result": result,
    }
    known = state.senders(thread.events[0].seq)
    if others := [name for name in state.senders(state.seq) if name not in known]:
        data["initiators"] = list(dict.fromkeys(others))
    draft = Draft("child_finished", data, now, key=f"child:{thread.id}")
    return [Append(thread.parent.thread, [draft], tenant=thread.tenant, wake=True)]
