"""What of a log may be changed when it is forked: messages, recorded results, the user's own types.

Never what was chosen, asked, voted, approved or limited, nor the outcome of a call that needed an
approval: a forged result would stand where a person's yes led to a real one. Pure.
"""

import json
from collections.abc import Container, Mapping
from typing import cast

from twelvefold.context.body import from_yaml, to_yaml
from twelvefold.exceptions import InvalidFile, NotRendered
from twelvefold.steps import CORE_EVENTS
from twelvefold.thread import Draft, Event, Json, Thread

Changes = Mapping[int, dict[str, Json]]
"""The new data of events, by seq."""

# What may change in the data of a core event; who said it and what it is about stay.
_OPEN: Mapping[str, frozenset[str]] = {
    "message_received": frozenset({"text"}),
    "tool_returned": frozenset({"result"}),
    "tool_failed": frozenset({"error"}),
}


def edited(thread: Thread, changes: Changes) -> Thread:
    """The thread with other data in these events, to be forked. Raises `InvalidFile`."""
    events, gated = list(thread.events), gated_steps(thread)
    for seq, data in changes.items():
        if not 1 <= seq <= thread.head:
            raise InvalidFile(f"{thread.id} has events 1 to {thread.head}, not {seq}. {_NOTHING}")
        event = events[seq - 1]
        if refusal := _refusal(event, data, gated):
            raise InvalidFile(f"event {seq} ({event.type}): {refusal} {_NOTHING}")
        events[seq - 1] = Draft(
            event.type, data, event.at, key=event.key, after=event.after, v=event.v
        ).event(seq)
    return Thread(thread.id, thread.agent, events, tenant=thread.tenant, parent=thread.parent)


_NOTHING = "Nothing was forked."


def _refusal(event: Event, data: dict[str, Json], gated: Container[Json]) -> str | None:
    if event.type not in CORE_EVENTS:
        return None
    allowed = _OPEN.get(event.type)
    if allowed is None:
        return (
            "a fork may change messages, recorded results and your own event types, not what was"
            " decided, asked or answered. Fork before it, and let it be decided again."
        )
    touched = {k for k in event.data.keys() | data.keys() if event.data.get(k) != data.get(k)}
    if touched - allowed:
        return (
            f"only {', '.join(sorted(allowed))} may change, not {', '.join(sorted(touched))}:"
            " who said it and what it is about stay."
        )
    if event.data.get("step") in gated:
        return (
            "it is the outcome of a call that needed an approval, which nobody may make up."
            " Fork before it, and ask for approval again."
        )
    return None


def gated_steps(thread: Thread) -> set[Json]:
    """Steps about which a person was asked, or that code let run without."""
    return {
        event.data["step"]
        for event in thread.events
        if event.type == "contact_requested"
        or (event.type == "tool_started" and not {"approval", "ungated"}.isdisjoint(event.data))
    }


def editable(thread: Thread) -> str:
    """The events of `thread` that may be changed, as YAML for an editor; empty when none may."""
    gated = gated_steps(thread)
    found: list[Json] = [
        {"seq": event.seq, "type": event.type, "data": event.data}
        for event in thread.events
        if _may_change(event, gated)
    ]
    return to_yaml(found) if found else ""


def _may_change(event: Event, gated: Container[Json]) -> bool:
    if event.type not in CORE_EVENTS:
        return True
    return event.type in _OPEN and event.data.get("step") not in gated


def changes_in(text: str, thread: Thread) -> dict[int, dict[str, Json]]:
    """What an edited file changes: an export, whole or in part, or the YAML that `editable` wrote.

    Raises `InvalidFile` for what is neither, and for another type or an event that `thread` lacks.
    """
    changes: dict[int, dict[str, Json]] = {}
    for place, row in enumerate(_rows(text), start=1):
        seq, type, data = row.get("seq"), row.get("type"), row.get("data")
        if not isinstance(seq, int) or not isinstance(data, dict):
            raise InvalidFile(f"entry {place} needs a seq and data, a map. {_NOTHING}")
        if not 1 <= seq <= thread.head:
            continue  # of a whole export, what comes after the fork does not matter
        event = thread.events[seq - 1]
        if type != event.type:
            raise InvalidFile(f"event {seq} is a {event.type}, not a {type}. {_NOTHING}")
        if data != event.data:
            changes[seq] = cast("dict[str, Json]", data)
    return changes


def _rows(text: str) -> list[dict[str, Json]]:
    try:
        lines = [line for line in text.split("\n") if line.strip()]
        if all(line.startswith("{") for line in lines):
            found: Json = [json.loads(line) for line in lines]
        else:
            found = from_yaml(text)
    except (ValueError, RecursionError, NotRendered) as error:
        raise InvalidFile(f"this is neither an export nor YAML: {error}. {_NOTHING}") from error
    if not isinstance(found, list) or not all(isinstance(r, dict) for r in cast(list[Json], found)):
        raise InvalidFile(f"this is not a list of events with seq, type and data. {_NOTHING}")
    return cast("list[dict[str, Json]]", found)
