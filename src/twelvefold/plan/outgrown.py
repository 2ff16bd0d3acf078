"""Steps whose classes have changed since a log was written: why today's code decides otherwise."""

from collections.abc import Iterator, Sequence
from typing import Any

from twelvefold.agent import Agent
from twelvefold.plan.replay import Difference
from twelvefold.state import Chosen, Contact, State
from twelvefold.steps import schema_hash
from twelvefold.thread import Thread

UNREADABLE = (
    'Keep the old name of a field as its alias, Field(alias="old"), or the old class in the union,'
    " or give the agent an upcaster: docs/evolution.md."
)
CHANGED = "An approval of what has changed is asked again: docs/evolution.md."


def outgrown(
    thread: Thread, agent: Agent[Any, Any], differences: Sequence[Difference]
) -> list[str]:
    """Which steps these decisions met are not read as they were stored, and what to do, in lines;
    none where it is `decide` that changed."""
    state = agent.state(thread)
    steps = list(_met(thread, agent, state, differences))
    unreadable = [
        f"{thread.id}, event {step.seq}, step {step.id}: {step.intent} no longer parses:"
        f" {step.unreadable}"
        for step in steps
        if not step.readable
    ]
    changed = [
        f"{thread.id}, event {contact.seq}, contact {contact.id}: the arguments or the shape of"
        f" {contact.intent} changed since this was asked"
        for step in steps
        if step.readable
        for contact in state.contacts.values()
        if contact.step == step.id and _is_changed(contact, step, state)
    ]
    said = [*unreadable, UNREADABLE] if unreadable else []
    return said + ([*changed, CHANGED] if changed else [])


def _met(
    thread: Thread, agent: Agent[Any, Any], state: State[Any], differences: Sequence[Difference]
) -> Iterator[Chosen[Any]]:
    """Steps that were open when these were decided, as they stand in the end."""
    before = [agent.state(thread.upto(difference.seq - 1)) for difference in differences]
    for id in dict.fromkeys(chosen.id for one in before for chosen in one.open):
        if (chosen := state.by_id(id)) is not None:
            yield chosen


def _is_changed(contact: Contact, chosen: Chosen[Any], state: State[Any]) -> bool:
    """Not by the digest: that of a forked log names the thread it was copied from."""
    if contact.kind != "approval":
        return False
    data, cls = contact.data, state.classes[chosen.intent]
    return data["schema"] != schema_hash(cls) or data["args"] != chosen.args_today()
