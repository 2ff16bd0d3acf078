"""The feed itself: one look for all, no gap where stored meets live, and trouble."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from twelvefold.exceptions import StoreUnavailable
from twelvefold.loop import utc_now
from twelvefold.server.streams import pulse, tails
from twelvefold.server.streams.feed import READERS_MAX, Feed
from twelvefold.server.streams.glances import About
from twelvefold.server.streams.routes import change_lines, event_lines
from twelvefold.server.streams.tails import QUEUE_EVENTS_MAX, Chunk, Tail
from twelvefold.store import Append, Create, EmbeddedStore, Ref
from twelvefold.testing import MemoryStore
from twelvefold.thread import Draft, Event
from twelvefold.watching import PAGE_EVENTS

pytestmark = pytest.mark.anyio

T1 = Ref("default", "t1")
PATIENCE_S = 20.0


class Watched(MemoryStore):
    """Counts what is read, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.loads, self.looks, self.failures = 0, 0, 0
        self.after_load: Callable[[], None] | None = None

    def mark(self) -> str:
        self.looks += 1
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("it is gone for a moment")
        return super().mark()

    def events(self, *args: Any, **kwargs: Any) -> list[Event]:
        self.loads += 1
        act, self.after_load = self.after_load, None
        found = super().events(*args, **kwargs)
        if act is not None:
            act()
        return found

    def looked_at(self) -> None:
        """In a thread: until the feed has seen and fanned out all there is now."""
        looks = self.looks + 3
        deadline = time.monotonic() + PATIENCE_S
        while self.looks < looks and time.monotonic() < deadline:
            time.sleep(0.001)


@pytest.fixture
def store() -> Watched:
    store = Watched()
    store.commit_now(Append("t1", [noted()], create=Create("bot")))
    return store


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)


def noted() -> Draft:
    return Draft("noted", {}, utc_now())


def append(store: MemoryStore, count: int = 1, id: str = "t1") -> None:
    store.commit_now(Append(id, [noted() for _ in range(count)]))


async def seqs(found: AsyncGenerator[Any], count: int) -> list[int]:
    """The next events of a stream, at least so many."""
    seen: list[int] = []
    while len(seen) < count:
        chunk = await anext(found)
        if chunk is not None:
            seen += [event.seq for event in chunk.events]
    return seen


async def test_what_came_is_loaded_once_for_all_who_read(store: Watched):
    feed = Feed(lambda: store)
    readers = [feed.events(T1, after=1) for _ in range(20)]
    reading = [asyncio.create_task(seqs(found, 30)) for found in readers]
    await until(lambda: feed.readers == 20)
    before = store.loads

    for _ in range(3):
        append(store, 10)
        await asyncio.sleep(0)

    assert await asyncio.gather(*reading) == [list(range(2, 32))] * 20
    assert store.loads - before <= 3
    for found in readers:
        await found.aclose()


async def test_nothing_is_asked_of_the_store_while_nobody_reads(store: Watched):
    feed = Feed(lambda: store)
    async with aclosing(feed.events(T1, after=0)) as found:
        assert await seqs(found, 1) == [1]
        await seqs_after(store, found)
    looks = store.looks
    assert feed.readers == 0

    await asyncio.sleep(3 * tails.POLL_S)

    assert store.looks == looks


async def seqs_after(store: MemoryStore, found: AsyncGenerator[Any]) -> list[int]:
    append(store)
    return await seqs(found, 1)


async def test_nothing_is_read_again_while_the_mark_is_the_same(store: Watched):
    feed = Feed(lambda: store)
    async with aclosing(feed.events(T1, after=0)) as found:
        await seqs(found, 1)
        await seqs_after(store, found)
        loads, looks = store.loads, store.looks
        waiting = asyncio.create_task(anext(found))
        await until(lambda: store.looks >= looks + 3)
        assert store.loads == loads
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.parametrize("seed", range(12))
async def test_stored_and_live_meet_without_a_gap_whenever_one_joins(store: Watched, seed: int):
    chance = random.Random(seed)
    feed, total = Feed(lambda: store), 1 + 1200
    append(store, 300)

    async def write() -> None:
        head = 301
        while head < total:
            many = min(chance.randint(1, 60), total - head)
            append(store, many)
            head += many
            await asyncio.sleep(chance.random() * tails.POLL_S)

    async def read(after: int) -> list[int]:
        await asyncio.sleep(chance.random() * 5 * tails.POLL_S)
        async with aclosing(feed.events(T1, after=after)) as found:
            return await seqs(found, total - after)

    starts = [chance.randint(0, 301) for _ in range(6)]
    *read_by, _ = await asyncio.gather(*map(read, starts), write())

    assert read_by == [list(range(start + 1, total + 1)) for start in starts]


@pytest.mark.parametrize("other", ["t1", "t2"])
async def test_what_comes_between_what_is_read_and_joining_is_not_lost(store: Watched, other: str):
    """Somebody reads t1, so the feed has passed that commit when the second reader joins."""
    store.commit_now(Append("t2", [noted()], create=Create("bot")))
    feed = Feed(lambda: store)

    def grow() -> None:
        append(store, id=other)
        store.looked_at()

    async with (
        aclosing(feed.events(T1, after=1)) as first,
        aclosing(feed.events(Ref("default", other), after=0)) as second,
    ):
        reading = asyncio.create_task(seqs(first, 1))
        await until(lambda: store.looks > 2)
        store.after_load = grow
        async with asyncio.timeout(PATIENCE_S):
            assert await seqs(second, 2) == [1, 2]
        append(store, id=other)
        async with asyncio.timeout(PATIENCE_S):
            assert await seqs(second, 1) == [3]
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_more_than_a_page_at_once_comes_whole(store: Watched):
    feed = Feed(lambda: store)
    async with aclosing(feed.events(T1, after=1)) as found:
        reading = asyncio.create_task(seqs(found, 2 * PAGE_EVENTS - 100))
        await until(lambda: feed.readers)
        append(store, 2 * PAGE_EVENTS - 100)
        assert await reading == list(range(2, 2 * PAGE_EVENTS - 98))


async def test_threads_of_the_same_id_in_two_tenants_are_two(store: Watched):
    store.commit_now(Append("t1", [noted()], create=Create("bot"), tenant="acme"))
    feed = Feed(lambda: store)
    async with (
        aclosing(feed.events(T1, after=1)) as ours,
        aclosing(feed.events(Ref("acme", "t1"), after=1)) as theirs,
    ):
        reading = asyncio.create_task(seqs(ours, 1)), asyncio.create_task(seqs(theirs, 1))
        await until(lambda: feed.readers == 2)
        append(store)
        assert await reading[0] == [2]
        assert not reading[1].done()
        store.commit_now(Append("t1", [noted()], tenant="acme"))
        assert await reading[1] == [2]


async def test_it_says_that_it_is_still_there(store: Watched):
    feed = Feed(lambda: store, heartbeat_s=0.01)
    async with (
        aclosing(feed.events(T1, after=1)) as events,
        aclosing(feed.changes([About("contacts")])) as changes,
    ):
        assert await anext(events) is None
        assert list(await anext(changes) or ()) in ([About("contacts")], [])
        while await anext(changes) is not None:
            continue


async def test_a_full_queue_ends_one_reader_alone():
    fast, slow = Tail(T1, 0), Tail(T1, 0)
    events = [Event(n, "noted", {}, utc_now()) for n in range(1, QUEUE_EVENTS_MAX + 1)]

    assert slow.put(Chunk(events))
    assert fast.put(Chunk(events))
    assert len((await fast.next(timeout_s=1))[0].events) == QUEUE_EVENTS_MAX
    one_more = Chunk([Event(QUEUE_EVENTS_MAX + 1, "noted", {}, utc_now())])

    assert (fast.put(one_more), slow.put(one_more)) == (True, False)
    assert (fast.over, slow.over) == (None, tails.TOO_SLOW)
    assert await slow.next(timeout_s=1) == []


async def test_streams_outlive_a_store_that_is_gone_for_a_moment(store: Watched):
    feed = Feed(lambda: store)
    async with aclosing(feed.events(T1, after=1)) as found:
        reading = asyncio.create_task(seqs(found, 1))
        await until(lambda: feed.readers)
        store.failures = 2
        append(store)
        assert await reading == [2]


async def test_streams_end_when_the_store_stays_away(
    store: Watched, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pulse, "FAILED_PAUSE_S", 0.0)
    feed = Feed(lambda: store)
    store.failures = 10_000
    async with aclosing(feed.events(T1, after=1)) as found:
        assert await anext(found) == pulse.UNANSWERED
    assert feed.readers == 0


async def test_whoever_comes_while_the_server_stops_is_sent_away(store: Watched):
    feed = Feed(lambda: store)
    feed.drain()

    with pytest.raises(StoreUnavailable, match="the server stops"):
        feed.expect_open()
    async with aclosing(feed.events(T1, after=1)) as found:
        assert await anext(found) == "the server stops"


# What is written


async def test_a_stream_ends_after_its_time_so_that_who_reads_is_asked_again(store: Watched):
    feed = Feed(lambda: store, heartbeat_s=0.01)

    events = [text async for text in event_lines(feed, T1, after=1, life_s=0.05)]
    changes = [text async for text in change_lines(feed, [About("threads")], life_s=0.05)]

    for texts in (events, changes):
        assert texts[0] == b"retry: 1000\n\n"
        assert b": still here\n\n" in texts
        assert texts[-1].startswith(b": time to say again who you are")
    assert feed.readers == 0


async def test_a_stream_of_somebody_who_may_not_any_more_ends_before_it_says_more(store: Watched):
    feed = Feed(lambda: store, heartbeat_s=0.01)
    answers = [True, True, False]

    async def still() -> bool:
        if len(answers) == 1:  # what came since is not told any more
            store.commit_now(Append("t1", [Draft("secret", {}, utc_now())]))
        return answers.pop(0)

    texts = [text async for text in event_lines(feed, T1, after=0, still=still, again_s=0.0)]

    assert b"event: noted" in b"".join(texts)
    assert b"secret" not in b"".join(texts)
    assert texts[-1].startswith(b": time to say again who you are")
    assert (answers, feed.readers) == ([], 0)


async def test_who_reads_is_asked_for_again_no_more_often_than_that(store: Watched):
    asked: list[int] = []

    async def still() -> bool:
        asked.append(1)
        return True

    feed = Feed(lambda: store, heartbeat_s=0.001)
    lines = change_lines(feed, [About("threads")], life_s=0.05, still=still, again_s=60.0)

    assert len([text async for text in lines]) > 3
    assert asked == []


async def test_a_store_that_is_gone_ends_a_stream_with_a_word(store: Watched):
    def gone() -> EmbeddedStore:
        raise StoreUnavailable("it is gone")

    texts = [text async for text in event_lines(Feed(gone), T1, after=0)]

    assert texts == [
        b"retry: 1000\n\n",
        b": the store does not answer; go on with Last-Event-ID\n\n",
    ]


async def test_a_server_has_room_for_so_many_readers_and_says_so(store: Watched):
    class Crowded(Feed):
        @property
        def readers(self) -> int:
            return READERS_MAX

    with pytest.raises(StoreUnavailable, match="READERS_MAX = 5000"):
        Crowded(lambda: store).expect_open()
