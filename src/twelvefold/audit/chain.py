"""The hash chain of a log: what each event commits to, and what an erased one leaves behind.

    genesis    = SHA-256(canonical JSON of [version, tenant, id, agent, parent, step, intent])
    commitment = SHA-256(salt + data)
    chain      = SHA-256(chain before + canonical JSON of [tenant, id, *place] + commitment)

The salt keeps a short text from being guessed by its commitment once both are erased.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, Protocol, cast

from twelvefold.audit.decisions import Said
from twelvefold.audit.heads import Head
from twelvefold.encoding import Json, canonical, from_iso, from_text
from twelvefold.exceptions import Unstorable
from twelvefold.thread import DEFAULT_TENANT, Event, Parent

CHAIN_VERSION = "1"
SALT_BYTES = 16
ERASED = "erased"
"""The event that records an erasure, and what stands for each event that was erased."""

Place = tuple[int, str, int, str | None, int | None, str]
"""seq, type, v, key, after and at: what stays of an event for ever."""


class Record(NamedTuple):
    """An event as it is stored. `data` and `salt` are None once erased; `commit` is, before."""

    seq: int
    type: str
    v: int
    key: str | None
    after: int | None
    at: str
    data: str | None
    salt: bytes | None
    commit: bytes | None
    chain: bytes

    @property
    def place(self) -> Place:
        return (self.seq, self.type, self.v, self.key, self.after, self.at)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A thread as it is stored: what its row says, and its events in the order of `seq`."""

    tenant: str
    id: str
    agent: str
    parent: Parent | None
    head: int
    chain: bytes
    records: Sequence[Record]

    @property
    def genesis(self) -> bytes:
        return genesis(self.tenant, self.id, self.agent, self.parent)


class Audited(Protocol):
    """What a store offers to those who check it."""

    def recorded(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Recorded:
        """One thread as it is stored, at one moment. Raises `UnknownThread`."""
        ...

    def heads(self) -> list[Head]:
        """The newest event of every thread of every tenant, the oldest thread first."""
        ...

    def said(self, *, tenant: str = DEFAULT_TENANT, thread_id: str | None = None) -> list[Said]:
        """The events of `CONTACT_EVENTS`, by time."""
        ...

    def scrub(self) -> bool:
        """Overwrite what erased events left in the file, as far as the store can; False when it
        cannot now, or never."""
        ...


def genesis(tenant: str, id: str, agent: str, parent: Parent | None) -> bytes:
    """What the chain of a thread begins with: who it is cannot be exchanged either."""
    launched = (None, None, None) if parent is None else (parent.thread, parent.step, parent.intent)
    return sha256(canonical([CHAIN_VERSION, tenant, id, agent, *launched]).encode()).digest()


def commitment(salt: bytes, text: str) -> bytes:
    """What the chain knows of an event's data."""
    return sha256(salt + text.encode()).digest()


def link(before: bytes, tenant: str, id: str, place: Place, committed: bytes) -> bytes:
    """The chain at the event at `place`. Both hashes have one length, so nothing is ambiguous."""
    header = canonical([tenant, id, *place]).encode()
    return sha256(before + header + committed).digest()


def chain_of(recorded: Recorded, record: Record, before: bytes) -> bytes | None:
    """The chain that `record` should have; None when its columns fit no event."""
    try:
        committed = _committed(record)
        if committed is None:
            return None
        return link(before, recorded.tenant, recorded.id, record.place, committed)
    except (Unstorable, UnicodeEncodeError):  # SQLite keeps anything in any column
        return None


def _committed(record: Record) -> bytes | None:
    match record.data, record.salt, record.commit:
        case str() as data, bytes() as salt, None:
            return commitment(salt, data)
        case None, None, bytes() as committed:
            return committed
        case _:
            return None


def erased(seq: int, type: str, at: datetime, key: str | None, after: int | None) -> Event:
    """What is read in the place of an event whose data is gone: nothing folds or renders it."""
    return Event(seq, ERASED, {"type": type}, at, key, after)


def event_of(record: Record) -> Event:
    at = from_iso(record.at)
    if record.data is None:
        return erased(record.seq, record.type, at, record.key, record.after)
    data: Any = from_text(record.data)
    return Event(record.seq, record.type, data, at, record.key, record.after, record.v)


def hashes(value: Json) -> Iterator[str]:
    """The attachments that an event's data names."""
    if isinstance(value, dict):
        found = cast("dict[str, Json]", value)
        if isinstance(name := found.get("sha256"), str):
            yield name
        value = list(found.values())
    if isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from hashes(item)
