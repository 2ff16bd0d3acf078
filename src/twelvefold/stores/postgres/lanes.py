"""Commits asked for on event loops, made in threads: those of one thread in the order they came.

What comes up while others are written is the next group, in one transaction where that can be. A
task that is alone writes on the loop itself where that takes no longer than a fast disk: handing
it to a thread and back costs more than the rest of it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import ReferenceType, ref

from twelvefold.exceptions import StoreUnavailable
from twelvefold.store import Append, Ref
from twelvefold.thread import Event

TURNS_MAX = 4
"""What a lone task writes at once before others get their turn."""
GROUP_MAX = 32
GROUPS_MAX = 2
"""Groups that are written side by side: one is at the disk while the next is made."""

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


@dataclass(frozen=True, slots=True)
class Commits:
    """How requests are written, from any thread.

    `at_once` gives None where whoever asks would have to wait, `together` for each that has to be
    written alone.
    """

    alone: Callable[[Sequence[Append]], Events]
    at_once: Callable[[Sequence[Append]], Events | None]
    together: Callable[[Sequence[Sequence[Append]]], list[Events | None]]


class Lanes:
    """Writes in at most `threads_max` threads."""

    def __init__(self, commits: Commits, *, threads_max: int) -> None:
        self._commits = commits
        self._asked_last: ReferenceType[asyncio.Task[Any]] | None = None
        self._turns = 0
        self._ready: deque[_Waiting] = deque()
        self._groups = 0
        self._last: dict[Ref, _Waiting] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(threads_max, thread_name_prefix="twelvefold-writer")

    async def commit(self, appends: Sequence[Append]) -> Events:
        """A decision whose caller is gone is not written; a fact always is."""
        if self._is_alone() and (events := self._commits.at_once(appends)) is not None:
            return await self._given(events)
        written = asyncio.wrap_future(self._asked(_Waiting(appends)))
        if any(append.expect is not None for append in appends):
            return await written
        return await asyncio.shield(written)

    def _is_alone(self) -> bool:
        """Whether nobody else has asked since this task did, and nothing is under way."""
        task = asyncio.current_task()
        asked_last = self._asked_last and self._asked_last()
        if task is None or asked_last is not task:
            self._asked_last = None if task is None else ref(task)
            return False
        return not self._last

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
            before = {self._last[name] for name in waiting.refs if name in self._last}
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
        with self._lock:
            self._ready.append(waiting)
            has_begun = self._groups < GROUPS_MAX
            self._groups += has_begun
        if has_begun and not self._submit(self._write_groups):
            with self._lock:
                self._groups -= 1
                left, self._ready = self._ready, deque()
            for one in left:
                self._end(one, error=_closed())

    def _submit(self, work: Callable[[], None]) -> bool:
        """False: the store was closed meanwhile."""
        try:
            self._threads.submit(work)
        except RuntimeError:
            return False
        return True

    def _write_groups(self) -> None:
        while group := self._next_group():
            wanted = [one for one in group if self._is_wanted(one)]
            if wanted:
                self._write(wanted)

    def _next_group(self) -> list[_Waiting]:
        """Empty: nothing is ready, and this thread is done."""
        with self._lock:
            size = min(GROUP_MAX, len(self._ready))
            self._groups -= not size
            return [self._ready.popleft() for _ in range(size)]

    def _is_wanted(self, waiting: _Waiting) -> bool:
        if waiting.future.set_running_or_notify_cancel():
            return True
        self._end(waiting)
        return False

    def _write(self, group: Sequence[_Waiting]) -> None:
        try:
            outcomes = self._commits.together([one.appends for one in group])
        except BaseException as error:
            for one in group:
                self._end(one, error=error)
            return
        for one, events in zip(group, outcomes, strict=True):
            if events is not None:
                self._end(one, events=events)
            elif not self._submit(partial(self._write_alone, one)):
                self._end(one, error=_closed())

    def _write_alone(self, waiting: _Waiting) -> None:
        try:
            events = self._commits.alone(waiting.appends)
        except BaseException as error:
            self._end(waiting, error=error)
        else:
            self._end(waiting, events=events)

    def _end(
        self,
        waiting: _Waiting,
        *,
        events: Events | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Its lane is free; then its caller hears, unless it is gone."""
        with self._lock:
            for name in waiting.refs:
                if self._last.get(name) is waiting:
                    del self._last[name]
        waiting.over.set_result(None)
        if error is not None:
            waiting.future.set_exception(error)
        elif events is not None:
            waiting.future.set_result(events)


def _closed() -> StoreUnavailable:
    return StoreUnavailable("the store is closed; open it again.", retryable=False)
