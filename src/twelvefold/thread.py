"""Events, threads, and what a store must offer. Stdlib only; nothing here does I/O.

A thread is an append-only log. `seq` counts from 1 without gaps, so the head of a thread is the
number of its events, and (tenant, thread, seq) is the identity of an event.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast, overload

from twelvefold.encoding import Json as Json
from twelvefold.encoding import canonical as canonical
from twelvefold.encoding import from_iso as from_iso
from twelvefold.encoding import from_text as from_text
from twelvefold.encoding import joined as joined
from twelvefold.encoding import to_iso as to_iso
from twelvefold.encoding import to_text as to_text
from twelvefold.exceptions import Unstorable

T = TypeVar("T")

DEFAULT_TENANT = "default"
EVENT_VERSION = 1

# What the store itself appends about deliveries. They never make a decision or an answer stale.
DELIVERY_RECORDS = frozenset(
    {"contact_sent", "contact_not_sent", "contact_reminded", "answer_refused"}
)


@dataclass(slots=True, init=False)
class Draft:
    """A fact without a place in a log yet.

    `data` is normalised through JSON at once, so what is folded before a commit equals what is read
    after it; it may also be given as its JSON text, as `to_text` writes it. `key` makes the append
    idempotent. `after` is the head that the decision saw; None for what came from outside. Raises
    `Unstorable`.
    """

    type: str
    data: dict[str, Json]
    at: datetime
    key: str | None
    after: int | None
    v: int
    text: str
    _made: "Event | None" = field(repr=False, compare=False)

    def __init__(
        self,
        type: str,
        data: Mapping[str, Json] | str,
        at: datetime,
        *,
        key: str | None = None,
        after: int | None = None,
        v: int = EVENT_VERSION,
    ) -> None:
        self.type, self.at, self.key, self.after, self.v = type, at, key, after, v
        self._made = None
        self.text = data if isinstance(data, str) else to_text(data)
        self.data = from_text(self.text)

    def event(self, seq: int) -> "Event":
        """The fact at its place. The store asks for the event that the loop has folded already."""
        made = self._made
        if made is None or made.seq != seq or made.after != self.after:
            made = Event(seq, self.type, self.data, self.at, self.key, self.after, self.v)
            self._made = made
        return made


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in a log, named in the past tense, never edited."""

    seq: int
    type: str
    data: dict[str, Json]
    at: datetime
    key: str | None = None
    after: int | None = None
    v: int = EVENT_VERSION


class _Log:
    """The list that all snapshots of a loaded thread share, and what was computed per event."""

    __slots__ = ("computed", "events", "made")

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list(events)
        self.computed: dict[Callable[..., Any], list[Any]] = {}
        self.made: dict[Callable[[], Any], Any] = {}


class _Prefix(Sequence[Event]):
    """The first `n` events of a log that may grow behind it."""

    __slots__ = ("_events", "_n")

    def __init__(self, events: list[Event], n: int) -> None:
        self._events, self._n = events, n

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: "slice[Any, Any, Any]") -> list[Event]: ...
    def __getitem__(self, index: "int | slice[Any, Any, Any]") -> Event | list[Event]:
        if isinstance(index, slice):
            return [self._events[place] for place in range(*index.indices(self._n))]
        position = index + self._n if index < 0 else index
        if not 0 <= position < self._n:
            raise IndexError(index)
        return self._events[position]

    def __iter__(self) -> Iterator[Event]:
        events = self._events
        for i in range(self._n):
            yield events[i]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(cast("Sequence[Any]", other))

    def __repr__(self) -> str:
        return repr(list(self))


@dataclass(frozen=True, slots=True)
class Parent:
    """The step of another thread that launched this one, and its intent."""

    thread: str
    step: str
    intent: str = ""


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Thread:
    """An immutable snapshot of one log. Snapshots share its memory; growing one copies nothing."""

    id: str
    agent: str
    tenant: str
    parent: Parent | None
    head: int
    _log: _Log = field(repr=False)

    def __init__(
        self,
        id: str,
        agent: str,
        events: Iterable[Event] = (),
        *,
        tenant: str = DEFAULT_TENANT,
        parent: Parent | None = None,
    ) -> None:
        log = _Log(events)
        self._set(id, agent, tenant, parent, len(log.events), log)

    def _set(
        self, id: str, agent: str, tenant: str, parent: Parent | None, head: int, log: _Log
    ) -> None:
        put = object.__setattr__  # one by one: a turn makes several snapshots
        put(self, "id", id)
        put(self, "agent", agent)
        put(self, "tenant", tenant)
        put(self, "parent", parent)
        put(self, "head", head)
        put(self, "_log", log)

    def _with_head(self, head: int, log: _Log) -> "Thread":
        snapshot = object.__new__(Thread)
        snapshot._set(self.id, self.agent, self.tenant, self.parent, head, log)
        return snapshot

    @property
    def events(self) -> Sequence[Event]:
        return _Prefix(self._log.events, self.head)

    def upto(self, seq: int) -> "Thread":
        """The thread as it was when `seq` was its newest event; 0 is the empty thread."""
        return self._with_head(min(max(seq, 0), self.head), self._log)

    def grown(self, events: Sequence[Event]) -> "Thread":
        """This thread with more events at its end. This snapshot stays as it is."""
        log = self._log
        if len(log.events) != self.head:  # somebody else grew the shared log: part ways
            log = _Log(log.events[: self.head])
        log.events.extend(events)
        return self._with_head(self.head + len(events), log)

    def then(self, *drafts: Draft) -> "Thread":
        """This thread with drafts at its end, each an event at the next place."""
        return self.grown([draft.event(self.head + n) for n, draft in enumerate(drafts, start=1)])

    def each(self, compute: Callable[[Event], T], *, after: int = 0) -> list[T]:
        """`compute(event)` for each event after the place `after`, computed once per loaded log and
        function."""
        done = self._log.computed.setdefault(compute, [])
        for event in self._log.events[len(done) : self.head]:
            done.append(compute(event))
        return done[after : self.head]

    def running(self, compute: Callable[[T | None, Event], T | None]) -> T | None:
        """The value at the head when `compute(value before, event)` runs over all events from None,
        once per loaded log and function."""
        done = self._log.computed.setdefault(compute, [])
        for event in self._log.events[len(done) : self.head]:
            done.append(compute(done[-1] if done else None, event))
        return done[self.head - 1] if self.head else None

    def once(self, make: Callable[[], T]) -> T:
        """What `make()` returned, called once per loaded log: a place for what grows with it."""
        made = self._log.made
        if make not in made:
            made[make] = make()
        return made[make]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Thread):
            return NotImplemented
        mine = (self.id, self.agent, self.tenant, self.parent)
        return (
            mine == (other.id, other.agent, other.tenant, other.parent)
            and self.events == other.events
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def to_jsonl(self) -> str:
        """One line per event, lossless; each line also names its thread."""
        return "".join(to_text(line) + "\n" for line in map(self._line, self.events))

    def _line(self, event: Event) -> dict[str, Json]:
        line: dict[str, Json] = {"tenant": self.tenant, "thread": self.id, "agent": self.agent}
        if self.parent is not None:
            line["parent"] = asdict(self.parent)
        return line | {
            "seq": event.seq,
            "type": event.type,
            "at": to_iso(event.at),
            "key": event.key,
            "after": event.after,
            "v": event.v,
            "data": event.data,
        }


def from_jsonl(text: str) -> Thread:
    """The inverse of `Thread.to_jsonl`. Raises `Unstorable`, with the line that is no event."""
    thread: Thread | None = None
    events: list[Event] = []
    # Not splitlines(): it would also cut at U+2028 and U+0085 inside the texts.
    for number, line in enumerate(text.rstrip("\n").split("\n"), start=1):
        try:
            row = json.loads(line)
            thread = thread or _thread_of(row)
            events.append(_event_of(row))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Unstorable(f"line {number} is not an exported event: {error}") from error
        if events[-1].seq != number:
            raise Unstorable(f"line {number} holds event {events[-1].seq}: the log has a gap.")
    assert thread is not None  # "".split gives one line, so the loop ran
    return thread.grown(events)


def _thread_of(row: dict[str, Json]) -> Thread:
    parent = row.get("parent")
    return Thread(
        row["thread"],
        row["agent"],
        tenant=row["tenant"],
        parent=None if parent is None else Parent(**parent),
    )


def _event_of(row: dict[str, Json]) -> Event:
    at = from_iso(row["at"])
    return Event(row["seq"], row["type"], row["data"], at, row["key"], row["after"], row["v"])
