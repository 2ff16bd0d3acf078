"""Threads that begin with a wake: many of them in one statement, which waits for nobody.

A name that another transaction is about to use, or that is used already, is left to the long way,
which waits and knows what to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twelvefold.exceptions import TwelvefoldError
from twelvefold.store import Append, Ref
from twelvefold.stores.postgres.kept import EVENT, GROWN_MAX, Unasked, named
from twelvefold.stores.postgres.queries import Named
from twelvefold.tables.appends import Pending, plan
from twelvefold.tables.projections import contact_changes, summary_text
from twelvefold.thread import Event, to_text

_THREAD = (
    "tenant", "id", "agent", "parent_thread", "parent_step", "parent_intent", "head", "epoch",
    "chain", "status", "summary",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Birth:
    """An append that begins a thread, checked as far as that can be done without the database."""

    pending: Pending
    events: list[list[Event]]


def birth(appends: Sequence[Append]) -> Birth | None:
    """None: do it the long way, which also knows why it may be refused."""
    if len(appends) != 1 or not _only_begins(appends[0]):
        return None
    try:
        planned = plan(Unasked(), appends, lambda _: None)
        [pending] = planned.threads.values()
        "".join((*pending.ref, pending.agent)).encode()  # JSON would escape what no name may hold
    except (TwelvefoldError, UnicodeEncodeError):
        return None
    if contact_changes(0, pending.ref.tenant, pending.events):
        return None
    return Birth(pending, planned.events)


def begin_together(db: Named, births: Sequence[Birth], author: str) -> list[Birth]:
    """Those that have begun, each with its wake; `author` is who needs not hear of it."""
    threads = [named(_THREAD, _row_of(one.pending)) for one in births]
    events = [
        named(("tenant", "id", *EVENT), (*one.pending.ref, *row))
        for one in births
        for row in one.pending.rows
    ]
    rows = db.rows("begin_together", (to_text(threads), to_text(events), author))
    numbers = {Ref(tenant, id): number for number, tenant, id, _ in rows}
    begun = [one for one in births if one.pending.ref in numbers]
    for one in begun:
        one.pending.number = numbers[one.pending.ref]
    return begun


def _only_begins(append: Append) -> bool:
    moves_timers = append.timers or append.cancel or append.arms
    judged = (append.expect, append.epoch, append.served) != (None, None, None)
    return (
        append.create is not None
        and append.wake
        and 0 < len(append.drafts) <= GROWN_MAX
        and not (moves_timers or judged or append.claim or append.erase)
    )


def _row_of(pending: Pending) -> tuple[object, ...]:
    parent = pending.create.parent if pending.create else None
    launched = (parent.thread, parent.step, parent.intent) if parent else (None, None, None)
    state = (pending.head, pending.epoch, pending.chain, pending.summary.status)
    return (*pending.ref, pending.agent, *launched, *state, summary_text(pending.summary))
