"""Commits asked for on event loops, made in threads: those of one thread in the order they came.

Each is a transaction of its own; the server makes one write to disk of those that meet there.
A task that is alone writes on the loop itself where that takes no longer than a fast disk: handing
it to a thread and back costs more than the rest of it.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from twelvefold.exceptions import StoreUnavailable
from twelvefold.store import Append, Ref
from twelvefold.thread import Event

TURNS_MAX = 4
"""What a lone task writes at once before others get their turn."""

Events = list[list[Event]]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request, what its caller waits for, and how many requests must be over before it.

    It is `over` when its turn has been, also when its caller was gone by then.
    """

    appends: Sequence[Append]
    future: "Future[Events]" = field(default_factory=Future["list[list[Event]]"])
    over: "Future[None]" = field(default_factory=Future["None"])
    before: int = 0

    @property
    def refs(self) -> set[Ref]:
        return {Ref(append.tenant, append.thread_id) for append in self.appends}


class Lanes:
    """Runs `commit` in at most `threads_max` threads, or `at_once` where that gives no None."""

    def __init__(
        self,
        commit: Callable[[Sequence[Append]], Events],
        at_once: Callable[[Sequence[Append]], Events | None],
        *,
        threads_max: int,
    ) -> None:
        self._commit, self._at_once = commit, at_once
        self._asked_last: asyncio.Task[Any] | None = None
        self._turns = 0
        self._last: dict[Ref, _Waiting] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(threads_max, thread_name_prefix="twelvefold-writer")

    async def commit(self, appends: Sequence[Append]) -> Events:
        """A decision whose caller is gone is not written; a fact always is."""
        if self._is_alone() and (events := self._at_once(appends)) is not None:
            return await self._given(events)
        written = asyncio.wrap_future(self._asked(_Waiting(appends)))
        if any(append.expect is not None for append in appends):
            return await written
        return await asyncio.shield(written)

    def _is_alone(self) -> bool:
        """Whether nobody else has asked since this task did, and nothing is under way."""
        asked_last, self._asked_last = self._asked_last, asyncio.current_task()
        return asked_last is self._asked_last and not self._last

    async def _given(self, events: Events) -> Events:
        self._turns = (self._turns + 1) % TURNS_MAX
        if not self._turns:
            await asyncio.sleep(0)
        return events

    def close(self) -> None:
        with self._lock:
            asked = [waiting.over for waiting in self._last.values()]
        wait(asked)
        self._threads.shutdown(wait=True)

    def _asked(self, waiting: _Waiting) -> "Future[Events]":
        with self._lock:
            before = {self._last[ref] for ref in waiting.refs if ref in self._last}
            waiting.before = len(before)
            self._last.update(dict.fromkeys(waiting.refs, waiting))
        for earlier in before:
            earlier.over.add_done_callback(lambda _: self._one_less(waiting))
        if not before:
            self._start(waiting)
        return waiting.future

    def _one_less(self, waiting: _Waiting) -> None:
        with self._lock:
            waiting.before -= 1
        if not waiting.before:
            self._start(waiting)

    def _start(self, waiting: _Waiting) -> None:
        try:
            self._threads.submit(self._work, waiting)
        except RuntimeError:  # the store was closed meanwhile
            closed = StoreUnavailable("the store is closed; open it again.", retryable=False)
            self._end(waiting)
            waiting.future.set_exception(closed)

    def _work(self, waiting: _Waiting) -> None:
        if not waiting.future.set_running_or_notify_cancel():
            return self._end(waiting)
        try:
            events = self._commit(waiting.appends)
        except BaseException as error:
            self._end(waiting)
            waiting.future.set_exception(error)
        else:
            self._end(waiting)
            waiting.future.set_result(events)

    def _end(self, waiting: _Waiting) -> None:
        with self._lock:
            for ref in waiting.refs:
                if self._last.get(ref) is waiting:
                    del self._last[ref]
        waiting.over.set_result(None)
