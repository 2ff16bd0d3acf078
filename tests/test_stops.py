"""Signs to stop, threads that are given up, and bells that ring when nobody listens yet."""

import asyncio
import threading
from typing import Any

import pytest

from crew import Look, app_of, pipeline, ran_by, ref, settle
from twelvefold.exceptions import StoreUnavailable
from twelvefold.loop import Bell, advance
from twelvefold.loop.stops import Stop
from twelvefold.loop.threads import in_thread
from twelvefold.testing import MemoryStore
from twelvefold.thread import Thread

pytestmark = pytest.mark.anyio


async def test_a_bell_may_ring_before_anybody_listens() -> None:
    bell = Bell()

    bell.ring(7)

    assert (bell.version, bell.rung.is_set()) == (7, True)


async def test_waiting_for_a_sign_that_is_set_already_ends_at_once() -> None:
    stop = Stop()
    stop.set()

    await asyncio.wait_for(stop.wait(), 5)

    assert stop.is_set()


async def test_a_sign_is_set_although_who_waited_for_it_is_gone() -> None:
    stop = Stop()
    waiting = asyncio.create_task(stop.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    stop.set()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0)

    assert waiting.cancelled()
    assert stop.is_set()


async def test_a_thread_that_has_ended_is_not_given_up() -> None:
    done = threading.Event()
    late: list[Any] = []

    def work() -> str:
        done.set()
        return "seen"

    task = asyncio.create_task(in_thread(work, name="look", late=late.append))
    await asyncio.sleep(0)
    done.wait(5)
    for thread in threading.enumerate():  # until it has handed over; the loop does not turn
        if thread.name == "twelvefold-look":
            thread.join(5)
    task.cancel()

    assert await task == "seen"
    await asyncio.sleep(0)  # the loop is told of it now, and nothing is left to tell
    assert late == []


async def test_a_tool_in_a_transaction_may_return_nothing_to_await(tmp_path: Any) -> None:
    from twelvefold.stores.sqlite import SqliteStore

    class Promise:
        def __await__(self) -> Any:
            yield

    store = SqliteStore(tmp_path / "agents.db")
    app = app_of(
        pipeline(Look(), carry_out=ran_by(lambda _: Promise(), in_transaction=True)), store
    )
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    [failed] = [event for event in app.thread("t").events if event.type == "tool_failed"]
    assert "to await" in failed.data["error"]
    app.close()


class _Deaf(MemoryStore):
    """Cannot be read while the tool runs."""

    deaf = False

    def tail(self, thread: Thread) -> Thread:
        if self.deaf:
            raise StoreUnavailable("not now")
        return super().tail(thread)


async def test_a_bell_that_cannot_be_looked_into_stops_nothing() -> None:
    store, bell = _Deaf(), Bell()
    seen: list[bool] = []

    async def look(_: Look, call: Any) -> str:
        store.deaf = True
        bell.ring(2)
        store.deaf = False
        seen.append(call.cancelled.is_set())
        return "seen"

    app = app_of(pipeline(Look(), carry_out=ran_by(look)), store)
    await app.launch("crew", "go", thread_id="t")
    await advance(ref("t"), app.surroundings, bell=bell)

    assert seen == [False]
    assert app.state(app.thread("t")).finished
