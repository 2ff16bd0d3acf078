"""Rows of the database, as the records that the store returns."""

from collections.abc import Sequence
from typing import Any

from twelvefold.audit import Head, Record, Recorded, Said, erased
from twelvefold.store import ContactRow, Due, Ref, ThreadRow, Woken
from twelvefold.summary import Summary
from twelvefold.thread import Event, Parent, from_iso, from_text

Row = Sequence[Any]


def event_of(row: Row) -> Event:
    seq, type, data, at, key, after, v = row
    if data is None:
        return erased(seq, type, from_iso(at), key, after)
    return Event(seq, type, from_text(data), from_iso(at), key, after, v)


def parent_of(thread: str | None, step: str | None, intent: str | None) -> Parent | None:
    return None if thread is None else Parent(thread, step or "", intent or "")


def thread_row_of(row: Row) -> ThreadRow:
    tenant, id, agent, head, thread, step, intent, summary = row
    parent = parent_of(thread, step, intent)
    return ThreadRow(Ref(tenant, id), agent, head, parent, Summary(**from_text(summary)))


def contact_row_of(row: Row) -> ContactRow:
    tenant, thread_id, agent, id, asked_at, data, outcome, closed_at, ended, *place = row
    return ContactRow(
        Ref(tenant, thread_id),
        agent,
        id,
        from_iso(asked_at),
        from_text(data),
        outcome,
        None if closed_at is None else from_iso(closed_at),
        {} if ended is None else from_text(ended),
        " ".join(map(str, place)),
    )


def woken_of(row: Row) -> Woken:
    tenant, thread_id, version = row
    return Woken(Ref(tenant, thread_id), version)


def due_of(row: Row) -> Due:
    tenant, thread_id, key, due = row
    return Due(Ref(tenant, thread_id), key, from_iso(due))


def recorded_of(tenant: str, id: str, rows: Sequence[Row]) -> Recorded:
    """Each row holds the thread's own columns, then those of one event, if it has any."""
    agent, thread, step, intent, head, chain = rows[0][:6]
    records = [Record(*row[6:]) for row in rows if row[6] is not None]
    parent = parent_of(thread, step, intent)
    return Recorded(tenant, id, agent, parent, head, chain, records)


def head_of(row: Row) -> Head:
    return Head(*row)


def said_of(row: Row) -> Said:
    return Said(*row)
