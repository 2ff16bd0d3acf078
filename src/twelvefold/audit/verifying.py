"""Walking the chain of a thread: the first event that is not what was written, and why.

What nobody outside has kept cannot be missed: whoever may write to the database may also compute
the whole chain anew. Only a head that was exported before tells that, and a log that was cut off.
"""

from dataclasses import dataclass

from twelvefold.audit.chain import ERASED, Record, Recorded, chain_of
from twelvefold.audit.heads import Head


@dataclass(frozen=True, slots=True)
class Verified:
    """Every event is what was written. `erased` of them have left only their commitment."""

    tenant: str
    id: str
    events: int
    erased: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """`seq` is the first event that does not fit; None when it is the row of the thread."""

    tenant: str
    id: str
    seq: int | None
    why: str


def verify(recorded: Recorded, head: Head | None = None) -> Verified | Broken:
    """Whether the thread is what was written; with `head`, whether it still is what it was then."""

    def broken(seq: int | None, why: str) -> Broken:
        return Broken(recorded.tenant, recorded.id, seq, why)

    chain, place = recorded.genesis, 0
    if head is not None and head.head == 0 and head.chain != chain:
        return broken(None, "the thread was begun anew after the head was exported")
    for place, record in enumerate(recorded.records, start=1):
        if why := _misplaced(record, place):
            return broken(place, why)
        linked = chain_of(recorded, record, chain)
        if linked is None:
            return broken(
                place, "its columns contradict each other: it is neither whole nor erased"
            )
        if linked != record.chain:
            return broken(place, "its chain follows neither from it nor from what is before it")
        if head is not None and place == head.head and linked != head.chain:
            return broken(place, "up to here it was written anew after the head was exported")
        chain = linked
    if why := _wrong_row(recorded, place, chain):
        return broken(None, why)
    if head is not None and place < head.head:
        return broken(place + 1, f"it is gone: the exported head is event {head.head}")
    gone = [record.seq for record in recorded.records if record.data is None]
    if gone and not any(r.type == ERASED and r.seq > gone[-1] for r in recorded.records):
        return broken(gone[0], "its data is gone, and no event says who erased it")
    return Verified(recorded.tenant, recorded.id, place, len(gone))


def _misplaced(record: Record, place: int) -> str | None:
    if record.seq == place:
        return None
    return f"it is missing: event {record.seq} stands in its place"


def _wrong_row(recorded: Recorded, events: int, chain: bytes) -> str | None:
    if recorded.head != events:
        return f"the thread's row says {recorded.head} events, and there are {events}"
    if recorded.chain != chain:
        return "the thread's row holds another chain than its newest event"
    return None
