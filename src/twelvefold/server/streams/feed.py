"""One feed per served application: it looks at the store once for everybody who reads a stream."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import anyio.to_thread

from twelvefold.exceptions import StoreUnavailable
from twelvefold.server.streams.glances import About, Glance, Glances
from twelvefold.server.streams.sse import HEARTBEAT_S
from twelvefold.server.streams.tails import Chunk, Tail, Tails
from twelvefold.store import EmbeddedStore, Ref
from twelvefold.watching import PAGE_EVENTS

STOPPING = "the server stops"
READERS_MAX = 5_000


class Feed:
    """It runs while somebody reads, in the event loop of those who do, and needs no lifespan."""

    def __init__(
        self, store: Callable[[], EmbeddedStore], *, heartbeat_s: float = HEARTBEAT_S
    ) -> None:
        self._store, self._heartbeat_s = store, heartbeat_s
        self._tails, self._glances = Tails(store), Glances(store)
        self._drained = False

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return self._tails.readers + self._glances.readers

    @property
    def dropped(self) -> int:
        """How many readers were too slow so far."""
        return self._tails.dropped

    def drain(self) -> None:
        """End all streams, each with a comment, and open no more: the server stops."""
        self._drained = True
        self._tails.end(STOPPING)
        self._glances.end(STOPPING)

    def expect_open(self) -> None:
        """Raises `StoreUnavailable` when the server stops or has no room for another reader."""
        if self._drained:
            raise StoreUnavailable(f"{STOPPING}: come back in a moment.")
        if self.readers >= READERS_MAX:
            raise StoreUnavailable(
                f"This server has READERS_MAX = {READERS_MAX} streams open already. Close one, or"
                " come back later."
            )

    async def events(self, ref: Ref, *, after: int) -> AsyncGenerator[Chunk | str | None]:
        """Every event after `after`: what is stored, then what comes. None: nothing came for
        `heartbeat_s`. A text is the last, and says why no more comes."""
        last = after
        async for page in self._stored(ref, after=after):
            yield page
            last = page.events[-1].seq
        with self._tail(ref, after=last) as tail:
            async for page in self._stored(ref, after=last, upto=tail.since):
                yield page
                last = page.events[-1].seq
            while tail.over is None:
                chunks = await tail.next(timeout_s=self._heartbeat_s)
                for chunk in chunks:
                    if chunk.events[-1].seq > last:
                        yield chunk.after(last)
                        last = chunk.events[-1].seq
                if not chunks and tail.over is None:
                    yield None
            yield tail.over

    async def changes(
        self, abouts: Sequence[About]
    ) -> AsyncGenerator[Mapping[About, str] | str | None]:
        """The mark of each at once, then of what changes. None and a text as in `events`."""
        with self._glance(abouts) as glance:
            while glance.over is None:
                news = await glance.next(timeout_s=self._heartbeat_s)
                if news or glance.over is None:
                    yield news or None
            yield glance.over

    async def _stored(
        self, ref: Ref, *, after: int, upto: int | None = None
    ) -> AsyncGenerator[Chunk]:
        """Pages up to the end, or to `upto`."""
        last = after
        while upto is None or last < upto:
            limit = PAGE_EVENTS if upto is None else min(PAGE_EVENTS, upto - last)
            read = partial(self._store().events, ref.id, after=last, limit=limit, tenant=ref.tenant)
            page = await anyio.to_thread.run_sync(read)
            if page:
                yield Chunk(page)
                last = page[-1].seq
            if len(page) < limit:
                return

    @contextmanager
    def _tail(self, ref: Ref, *, after: int) -> Generator[Tail]:
        tail = self._tails.join(ref, after=after)
        if self._drained:
            tail.end(STOPPING)
        try:
            yield tail
        finally:
            self._tails.leave(tail)

    @contextmanager
    def _glance(self, abouts: Sequence[About]) -> Generator[Glance]:
        glance = self._glances.join(abouts)
        if self._drained:
            glance.end(STOPPING)
        try:
            yield glance
        finally:
            self._glances.leave(glance)
