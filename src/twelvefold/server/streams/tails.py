"""What is appended to threads that are watched: loaded once, fanned out to everybody who reads.

A reader that joins after event n gets n + 1, n + 2, ... without a gap, until its queue is full:
then it is over, and whoever reads goes on from the last event that came.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import anyio.to_thread

from twelvefold.server.streams.pulse import Pulse
from twelvefold.server.streams.sse import event_text
from twelvefold.store import EmbeddedStore, Ref
from twelvefold.thread import Event
from twelvefold.watching import PAGE_EVENTS

POLL_S = 0.05
QUEUE_EVENTS_MAX = 1000
"""Events that may wait for one reader: twice a page."""

TOO_SLOW = "too slow: more came than is kept for a reader"


class Chunk:
    """Events in a row, and their text, which is made once for all who read it."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events

    @cached_property
    def text(self) -> bytes:
        return b"".join(map(event_text, self.events))

    def after(self, seq: int) -> "Chunk":
        """Without what a reader has already."""
        if self.events[0].seq > seq:
            return self
        return Chunk([event for event in self.events if event.seq > seq])


class Tail:
    """One reader of one thread, from the event after `since` on. `over` says why it ended."""

    def __init__(self, ref: Ref, since: int) -> None:
        self.ref, self.since = ref, since
        self.over: str | None = None
        self._chunks: list[Chunk] = []
        self._came = asyncio.Event()

    def put(self, chunk: Chunk) -> bool:
        """False when it has to be given up."""
        if self.over is not None:
            return True
        waiting = sum(len(one.events) for one in self._chunks)
        if waiting + len(chunk.events) > QUEUE_EVENTS_MAX:
            self.end(TOO_SLOW)
            return False
        self._chunks.append(chunk)
        self._came.set()
        return True

    def end(self, why: str) -> None:
        """What still waits is dropped: it is in the store."""
        self.over, self._chunks = self.over or why, []
        self._came.set()

    async def next(self, *, timeout_s: float) -> list[Chunk]:
        """What came, as soon as something did; nothing when the time is up or it is `over`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._came.wait()
        except TimeoutError:
            return []
        came, self._chunks = self._chunks, []
        if self.over is None:
            self._came.clear()
        return came


@dataclass(slots=True)
class _Watched:
    """A thread and who reads it. `head`: the last event that was fanned out."""

    head: int
    readers: list[Tail] = field(default_factory=list[Tail])


@dataclass(frozen=True, slots=True)
class _Look:
    mark: str
    is_whole: bool
    grown: Mapping[Ref, Chunk]


class Tails:
    """All threads that somebody reads. Everything but the look itself happens in one loop.
    `dropped`: how many readers were too slow."""

    def __init__(self, store: Callable[[], EmbeddedStore]) -> None:
        self._store = store
        self._watched: dict[Ref, _Watched] = {}
        self._mark, self._looks_anyway = "", True
        self.dropped = 0
        self._pulse = Pulse(self._beat, self.end, every_s=POLL_S)

    @property
    def readers(self) -> int:
        return sum(len(watched.readers) for watched in self._watched.values())

    def join(self, ref: Ref, *, after: int) -> Tail:
        """A reader who has everything up to `after`. Its `since` may be later: what lies between
        is to be read from the store."""
        watched = self._watched.setdefault(ref, _Watched(after))
        tail = Tail(ref, max(after, watched.head))
        watched.readers.append(tail)
        self._looks_anyway = True
        self._pulse.start()
        return tail

    def leave(self, tail: Tail) -> None:
        watched = self._watched[tail.ref]
        watched.readers.remove(tail)
        if not watched.readers:
            del self._watched[tail.ref]
        if not self._watched:
            self._pulse.stop()

    def end(self, why: str) -> None:
        """Send all readers away."""
        for watched in self._watched.values():
            for tail in watched.readers:
                tail.end(why)

    async def _beat(self) -> None:
        heads = {ref: watched.head for ref, watched in self._watched.items()}
        mark, self._looks_anyway = "" if self._looks_anyway else self._mark, False
        look = await anyio.to_thread.run_sync(partial(_look, self._store(), heads, mark))
        self._mark = look.mark
        self._looks_anyway = self._looks_anyway or not look.is_whole
        for ref, chunk in look.grown.items():
            self._fan_out(ref, chunk)

    def _fan_out(self, ref: Ref, chunk: Chunk) -> None:
        watched = self._watched.get(ref)
        # Everybody may have left meanwhile, and somebody else have come who has more, or less.
        if watched is None or chunk.events[0].seq > watched.head + 1:
            return
        if chunk.events[-1].seq > watched.head:
            newer = chunk.after(watched.head)
            watched.head = newer.events[-1].seq
            for tail in watched.readers:
                self.dropped += not tail.put(newer)


def _look(store: EmbeddedStore, heads: Mapping[Ref, int], mark: str) -> _Look:
    """What these threads have beyond their heads. Nothing is read while the mark is the same."""
    now = store.mark()
    if now == mark:
        return _Look(now, True, {})
    newest = store.heads_of(list(heads))
    pages = {
        ref: store.events(ref.id, after=head, tenant=ref.tenant)
        for ref, head in heads.items()
        if newest.get(ref, head) > head
    }
    is_whole = all(len(page) < PAGE_EVENTS for page in pages.values())
    return _Look(now, is_whole, {ref: Chunk(page) for ref, page in pages.items() if page})
