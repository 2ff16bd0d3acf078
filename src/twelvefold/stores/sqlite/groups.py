"""Group commit: what one tick of an event loop asks for is one SQLite transaction.

It is made on the loop itself, because handing it to a thread costs more than the SQL. While the
disk is slow or another process holds the lock, a thread does it, and the loop goes on. After a
quiet tick a lone task's requests are written at once, up to `TURNS_MAX`: waiting for company
costs 8 % and brings none.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from twelvefold.exceptions import StoreUnavailable
from twelvefold.store import Append
from twelvefold.stores.sqlite.writer import Outcome, Request, Writer
from twelvefold.thread import Event

GROUP_MAX = 64
INLINE_S_MAX = 0.002
TURNS_MAX = 8
"""What a lone task writes at once before others get their turn."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request and the future of its caller."""

    appends: Sequence[Append]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[list[list[Event]]]

    def dropped(self) -> bool:
        """A decision whose caller is gone is not written; a fact always is."""
        return self.future.cancelled() and any(a.expect is not None for a in self.appends)


@dataclass(slots=True)
class _Tick:
    """What one loop has asked for since its last tick."""

    asked: int = 0
    turns: int = 0
    only: asyncio.Task[Any] | None = None
    waiting: list[_Waiting] = field(default_factory=lambda: [])

    def is_of(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether this task may write at once: nobody else has asked, and turns are left."""
        if not self.turns and not self.asked:
            self.only = task
        return self.only is task and not self.asked and self.turns < TURNS_MAX


class Groups:
    """Collects requests per loop tick. `told(appends)` is called for each that was written."""

    def __init__(self, writer: Writer, told: Callable[[Sequence[Append]], None]) -> None:
        self._writer, self._told = writer, told
        self._ticks: dict[asyncio.AbstractEventLoop, _Tick] = {}
        self._quiet = True
        self._backlog: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="twelvefold-writer")

    async def commit(self, appends: Sequence[Append]) -> list[list[Event]]:
        loop = asyncio.get_running_loop()
        tick = self._ticks.get(loop)
        if tick is None:
            tick = self._ticks[loop] = _Tick()
            loop.call_soon(self._flush, loop)
        if self._quiet and tick.is_of(asyncio.current_task()):
            tick.turns += 1
            outcome = self._at_once(appends)
            if outcome is not None:
                if tick.turns == TURNS_MAX:
                    await asyncio.sleep(0)
                return _events_of(outcome)
        tick.asked += 1
        waiting = _Waiting(appends, loop, loop.create_future())
        tick.waiting.append(waiting)
        if len(tick.waiting) >= GROUP_MAX:
            self._flush(loop)
        return await waiting.future

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        tick = self._ticks.pop(loop, None)
        if tick is None:
            return
        self._quiet = tick.asked + bool(tick.turns) <= 1
        group = [waiting for waiting in tick.waiting if not waiting.dropped()]
        if not group:
            return
        outcomes = self._try_inline([waiting.appends for waiting in group])
        if outcomes is None:
            return self._hand_over(group)
        _resolve(group, outcomes)
        self._tell(group, outcomes)

    def _at_once(self, appends: Sequence[Append]) -> Outcome | None:
        outcomes = self._try_inline([appends])
        if outcomes is None:
            return None
        if not isinstance(outcomes[0], Exception):
            self._told(appends)
        return outcomes[0]

    def _try_inline(self, group: Sequence[Request]) -> list[Outcome] | None:
        """None when the loop would have to wait: a thread is to do it."""
        if self._backlog or self._writer.average_s > INLINE_S_MAX:
            return None
        return self._writer.try_group(group)

    def _hand_over(self, group: list[_Waiting]) -> None:
        self._backlog.extend(group)
        try:
            self._thread.submit(self._drain)
        except RuntimeError:  # the store was closed meanwhile
            closed = StoreUnavailable("the store is closed; open it again.", retryable=False)
            _resolve(group, [closed] * len(group))

    def _drain(self) -> None:
        """In the thread: what came up while the last group was written is the next one."""
        group: list[_Waiting] = []
        while self._backlog and len(group) < GROUP_MAX:
            waiting = self._backlog.popleft()
            if not waiting.dropped():
                group.append(waiting)
        if not group:
            return
        outcomes = self._writer.wait_group([w.appends for w in group])
        self._tell(group, outcomes)  # before the callers, who may ask whether it was heard
        for waiting, outcome in zip(group, outcomes, strict=True):
            try:
                waiting.loop.call_soon_threadsafe(_resolve, [waiting], [outcome])
            except RuntimeError:
                continue  # the caller's loop has ended; what was committed stays

    def _tell(self, group: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
        for waiting, outcome in zip(group, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                self._told(waiting.appends)


def _events_of(outcome: Outcome) -> list[list[Event]]:
    """The events, or what was raised."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _resolve(group: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(group, outcomes, strict=True):
        if waiting.future.done():  # its caller was cancelled
            continue
        if isinstance(outcome, Exception):
            waiting.future.set_exception(outcome)
        else:
            waiting.future.set_result(outcome)
