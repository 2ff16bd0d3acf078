"""What is derived from the log and kept beside it: the summary of each thread, and the contacts.

`rebuild` computes both again from the log; they then equal what the appends wrote. Wakes and timers
that are gone come back with it.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from twelvefold.store import Ref, Wakes
from twelvefold.summary import Summary, summarize
from twelvefold.tables.queries import Database
from twelvefold.tables.rows import event_of
from twelvefold.thread import Event, Json, canonical, from_iso, from_text, to_iso, to_text

_SUMMARY_FIELDS = tuple(Summary.__dataclass_fields__)
_MOVES = frozenset({"contact_escalated", "contact_reassigned"})
_COPIES = frozenset({"forked", "imported"})


class Change(NamedTuple):
    """A statement's name and its parameters."""

    name: str
    parameters: tuple[Any, ...]


def summary_text(summary: Summary) -> str:
    """What is not as in a new thread: the text is written with every append."""
    values: dict[str, Json] = {}
    for name in _SUMMARY_FIELDS:
        value = getattr(summary, name)
        if value or value == "":
            values[name] = value
    return to_text(values)


def summary_of(text: str) -> Summary:
    return Summary(**from_text(text))


def contact_changes(number: int, tenant: str, events: Iterable[Event]) -> list[Change]:
    """What `events` change in the contacts of the thread with this number."""
    changes: list[Change] = []
    for event in events:
        if event.type == "contact_requested":
            changes.append(_opened(number, tenant, event))
        elif event.type in _MOVES:
            asked = (event.seq, _deadline(event), *_asked(event))
            moved = (*asked, number, event.data["contact"])
            changes.append(Change("move_contact", moved))
        elif event.type == "contact_closed":
            closed = (event.data["outcome"], to_iso(event.at), number, event.data["contact"])
            changes.append(Change("close_contact", closed))
        elif event.type in _COPIES:
            changes.append(Change("void_contacts", (to_iso(event.at), number)))
    return changes


def _opened(number: int, tenant: str, event: Event) -> Change:
    asked = (number, tenant, event.data["contact"], event.seq, to_iso(event.at), _deadline(event))
    return Change("open_contact", (*asked, *_asked(event)))


def _asked(event: Event) -> tuple[str, str]:
    """The risk and whom it asks, by which lists are filtered. Equal policies are equal texts."""
    return str(event.data.get("risk", "low")), canonical(event.data.get("to"))


def _deadline(event: Event) -> str | None:
    """Written anew, so that text order is time order whatever offset the event gives."""
    deadline = event.data.get("deadline")
    return None if deadline is None else to_iso(from_iso(deadline))


class Rebuilt(NamedTuple):
    """How many threads there are, and those whose lists were not what their log says."""

    threads: int
    differed: tuple[Ref, ...]


def rebuild(db: Database, wakes: Wakes) -> Rebuilt:
    """Derive everything again inside the open transaction."""
    from twelvefold.tables.healing import Healing  # loads pydantic: a list should not wait for it

    before, healing = _derived(db), Healing(db, wakes)
    db.write("delete_contacts")
    threads = db.rows("all_threads")
    for number, tenant, id in threads:
        events = [event_of(row) for row in db.rows("events_after", (tenant, id, 0))]
        summary = summarize(events)
        db.write("replace_summary", (summary_text(summary), summary.status, number))
        for change in contact_changes(number, tenant, events):
            db.write(change.name, change.parameters)
        healing.heal(Ref(tenant, id), events, summary.status)
    after = _derived(db)
    differed = [Ref(tenant, id) for n, tenant, id in threads if before[n] != after[n]]
    return Rebuilt(len(threads), tuple(differed))


def _derived(db: Database) -> dict[int, list[Any]]:
    """What is derived of each thread, by its number."""
    rows = {n: list[Any](rest) for n, *rest in db.rows("derived_threads")}
    for number, *contact in db.rows("derived_contacts"):
        rows[number].append(contact)
    return rows
