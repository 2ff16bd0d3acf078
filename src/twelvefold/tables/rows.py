"""Rows of the database, as the records that the store returns."""

from collections.abc import Sequence
from typing import Any

from twelvefold.store import ContactRow, Due, Ref, ThreadRow, Woken
from twelvefold.summary import Summary
from twelvefold.thread import Event, Parent, from_iso, from_text

Row = Sequence[Any]


def event_of(row: Row) -> Event:
    seq, type, data, at, key, after, v = row
    return Event(seq, type, from_text(data), from_iso(at), key, after, v)


def parent_of(thread: str | None, step: str | None, intent: str | None) -> Parent | None:
    return None if thread is None else Parent(thread, step or "", intent or "")


def thread_row_of(row: Row) -> ThreadRow:
    tenant, id, agent, head, thread, step, intent, summary = row
    parent = parent_of(thread, step, intent)
    return ThreadRow(Ref(tenant, id), agent, head, parent, Summary(**from_text(summary)))


def contact_row_of(row: Row) -> ContactRow:
    tenant, thread_id, agent, id, asked_at, data, outcome, closed_at = row
    closed = None if closed_at is None else from_iso(closed_at)
    ref = Ref(tenant, thread_id)
    return ContactRow(ref, agent, id, from_iso(asked_at), from_text(data), outcome, closed)


def woken_of(row: Row) -> Woken:
    tenant, thread_id, version = row
    return Woken(Ref(tenant, thread_id), version)


def due_of(row: Row) -> Due:
    tenant, thread_id, key, due = row
    return Due(Ref(tenant, thread_id), key, from_iso(due))
