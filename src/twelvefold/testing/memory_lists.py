"""The lists of contacts of the in-memory store, in the order of a database."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from twelvefold.inbox import Backlog, ContactRow, place_of
from twelvefold.testing.memory_state import Kept, State
from twelvefold.thread import Json, canonical, from_iso, to_iso

LAST = "~"
"""After every time."""


def listed(
    state: State,
    tenant: str,
    *,
    agent: str | None = None,
    risk: str | None = None,
    to: Sequence[str] | None = None,
) -> list[ContactRow]:
    """The rows that are wanted, each with the number of its thread, and its own, as its place."""
    return [
        replace(row, place=f"{n} {m}")
        for n, (ref, kept) in enumerate(state.threads.items(), start=1)
        if ref.tenant == tenant and agent in (None, kept.agent)
        for m, row in enumerate(kept.contacts.values(), start=1)
        if risk in (None, _risk(row)) and (to is None or _asks(row) in to)
        for row in [_with_end(kept, row)]
    ]


def waiting(rows: Iterable[ContactRow], after: str) -> list[ContactRow]:
    """By deadline, then by age."""
    named = [
        replace(row, place=f"{_deadline(row)} {to_iso(row.asked_at)} {row.place}", ended={})
        for row in rows
    ]
    return _beyond(named, place_of(after, str, str, int, int), (str, str, int, int))


def ended(rows: Iterable[ContactRow], after: str) -> list[ContactRow]:
    """The newest end first."""
    closed = [(row.closed_at, row) for row in rows if row.closed_at is not None]
    named = [replace(row, place=f"{to_iso(at)} {row.place}") for at, row in closed]
    types = (str, int, int)
    newest = sorted(named, key=lambda row: place_of(row.place, *types), reverse=True)
    place = place_of(after, *types)
    return [row for row in newest if not place or place_of(row.place, *types) < place]


def counted(rows: Iterable[ContactRow]) -> list[Backlog]:
    found = Counter((row.agent, _risk(row), _asks(row)) for row in rows if row.outcome is None)
    return [Backlog(*named, count) for named, count in sorted(found.items())]


def _beyond(
    rows: Iterable[ContactRow], place: tuple[Any, ...], types: tuple[type, ...]
) -> list[ContactRow]:
    ordered = sorted(rows, key=lambda row: place_of(row.place, *types))
    return [row for row in ordered if place_of(row.place, *types) > place]


def _with_end(kept: Kept, row: ContactRow) -> ContactRow:
    closing = (e.data for e in kept.events if e.key == f"closed:{row.id}")
    data: dict[str, Json] | None = next(closing, None)
    return row if data is None else replace(row, ended=data)


def _deadline(row: ContactRow) -> str:
    deadline = row.data.get("deadline")
    return LAST if deadline is None else to_iso(from_iso(deadline))


def _risk(row: ContactRow) -> str:
    return str(row.data.get("risk", "low"))


def _asks(row: ContactRow) -> str:
    return canonical(row.data.get("to"))
