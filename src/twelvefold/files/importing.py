"""From an exported file to the drafts of a thread that begins with that log. Pure.

Every line is checked before anything is returned: what the store would refuse, what the fold could
not read, and what is no whole log names its line and what to do about it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from twelvefold.exceptions import InvalidFile, TwelvefoldError
from twelvefold.files.shapes import fault_of
from twelvefold.forks import in_flight
from twelvefold.reducer import fold
from twelvefold.state import State
from twelvefold.summary import summarize
from twelvefold.thread import DEFAULT_TENANT, Draft, Event, Json, Parent, Thread, from_iso

_KEYS = ("tenant", "thread", "agent", "seq", "type", "at", "key", "after", "v", "data")
NOTHING_IMPORTED = " Nothing was imported."
_AGAIN = "Export the whole thread again."


def import_thread(
    text: str, *, new_id: str | None = None, tenant: str = DEFAULT_TENANT, now: datetime
) -> tuple[Thread, list[Draft]]:
    """An empty thread and the drafts that fill it: the log of the file, then `imported`.

    That last event voids every earlier contact, approval, timer, child and attempt. Without a
    `new_id` the thread keeps its own. Whoever launched the original is not told of the copy's end.
    Raises `InvalidFile`.
    """
    thread = read_lines(text)
    name = _name(thread, new_id)
    origin: dict[str, Json] = {"from": thread.id, "head": thread.head}
    if thread.parent is not None:
        origin["parent"] = thread.parent.thread
    drafts = [Draft(e.type, e.data, e.at, key=e.key, after=e.after, v=e.v) for e in thread.events]
    return Thread(name, thread.agent, tenant=tenant), [*drafts, Draft("imported", origin, now)]


def _name(thread: Thread, new_id: str | None) -> str:
    if new_id is None and "." in thread.id:
        raise InvalidFile(
            f"{thread.id} was launched by another thread, which would not know this copy."
            " Give it an id of its own (--id)."
        )
    running = in_flight(thread, thread.head)
    if new_id not in (None, thread.id) and running:
        raise InvalidFile(
            f"{running[0]} was under way when this was exported (event {running[1]}), and under"
            " another id it could take effect twice. Import it under its own id, or export it"
            " again after its outcome."
        )
    return new_id or thread.id


def read_lines(text: str) -> Thread:
    """The thread of an exported file, exactly. Raises `InvalidFile`, with the line."""
    rows = list(_rows(text))
    first = rows[0]
    thread = Thread(
        first["thread"], first["agent"], tenant=first["tenant"], parent=_parent(first.get("parent"))
    )
    state: State[Any] = State(thread)
    keys: dict[str, int] = {}
    events: list[Event] = []
    for number, row in enumerate(rows, start=1):
        _check_thread(number, row, first)
        events.append(_event(number, row, keys))
        _check_fold(number, events[-1], state)
    return thread.grown(events)


def _rows(text: str) -> Iterator[dict[str, Json]]:
    # Not splitlines(): it would also cut at U+2028 and U+0085 inside the texts.
    for number, line in enumerate(text.rstrip("\n").split("\n"), start=1):
        try:
            row = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise _fault(number, f"is not JSON ({error})", _AGAIN) from error
        if not isinstance(row, dict):
            raise _fault(number, "is not an event", _AGAIN)
        if missing := [key for key in _KEYS if key not in row]:
            raise _fault(number, f"lacks {', '.join(missing)}", _AGAIN)
        yield cast("dict[str, Json]", row)


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _parent(given: Json) -> Parent | None:
    if given is None:
        return None
    try:
        return Parent(**given)
    except TypeError as error:
        raise _fault(1, "names its parent in a way that is not known here", _AGAIN) from error


def _check_thread(number: int, row: dict[str, Json], first: dict[str, Json]) -> None:
    for key in ("tenant", "thread", "agent"):
        if not isinstance(row[key], str) or not row[key]:
            raise _fault(number, f"has no {key}", _AGAIN)
    if (row["tenant"], row["thread"]) != (first["tenant"], first["thread"]):
        raise _fault(
            number,
            f"belongs to the thread {row['thread']}, not {first['thread']}",
            "A file holds one thread: split it, and import each by itself.",
        )
    if (row["agent"], row.get("parent")) != (first["agent"], first.get("parent")):
        raise _fault(number, "names another agent or parent than line 1", _AGAIN)


def _event(number: int, row: dict[str, Json], keys: dict[str, int]) -> Event:
    if row["seq"] != number:
        raise _fault(number, f"holds event {row['seq']}: lines are missing or out of order", _AGAIN)
    _check_place(number, row)
    if (key := row["key"]) is not None and keys.setdefault(key, number) != number:
        raise _fault(number, f"repeats the key {key!r} of line {keys[key]}", "Remove one of them.")
    try:
        at = from_iso(row["at"])
        draft = Draft(row["type"], row["data"], at, key=key, after=row["after"], v=row["v"])
        f"{row['type']}{key}{row['thread']}{row['agent']}".encode()
    except (ValueError, TypeError, AttributeError, TwelvefoldError) as error:
        raise _fault(number, f"cannot be stored: {error}", "Correct its value.") from error
    event = draft.event(number)
    if fault := fault_of(event):
        raise _fault(number, f"cannot be read: {fault}", "Then import it again.")
    return event


def _check_place(number: int, row: dict[str, Json]) -> None:
    kinds = {"type": str, "data": dict, "v": int, "key": str | None, "after": int | None}
    for name, kind in kinds.items():
        if not isinstance(row[name], kind) or isinstance(row[name], bool):
            raise _fault(number, f"has a {name} of the wrong kind: {row[name]!r}", _AGAIN)
    if not row["type"] or row["v"] < 1 or not 0 <= (row["after"] or 0) < number:
        raise _fault(number, "has a type, v or after that no event has", _AGAIN)


def _check_fold(number: int, event: Event, state: State[Any]) -> None:
    """What the list of shapes does not say is found by folding."""
    try:
        fold(state, event)
        summarize([event])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _fault(
            number, f"is no whole {event.type}: {error!r}", "Correct its data, or " + _AGAIN.lower()
        ) from error


def _fault(number: int, what: str, remedy: str) -> InvalidFile:
    return InvalidFile(f"line {number} {what}. {remedy}{NOTHING_IMPORTED}")
