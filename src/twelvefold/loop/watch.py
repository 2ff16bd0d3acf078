"""Watch: says which async tool holds up the event loop, and with it every other thread.

A tool's coroutine is driven step by step and each step is timed, so the culprit is known exactly.
What its own tasks do is not seen.
"""

import logging
import time
import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any

BLOCKED_S = 1.0

log = logging.getLogger("twelvefold")


class Watch:
    """Warns once per tool of a step that took longer than `blocked_s`."""

    def __init__(self, blocked_s: float = BLOCKED_S) -> None:
        self._blocked_s = blocked_s
        self._warned: set[str] = set()

    @types.coroutine
    def over(
        self, coroutine: Coroutine[Any, Any, Any], tool: str, thread_id: str
    ) -> Generator[Any, Any, Any]:
        """As `await coroutine`."""
        step = partial(coroutine.send, None)
        while True:
            started = time.perf_counter()
            try:
                awaited = step()
            except StopIteration as ended:
                return ended.value
            finally:
                took_s = time.perf_counter() - started
                if took_s > self._blocked_s:
                    self._warn(tool, thread_id, took_s)
            try:
                step = partial(coroutine.send, (yield awaited))
            except BaseException as error:  # a cancellation, as a rule: it is for the tool
                step = partial(coroutine.throw, error)

    def _warn(self, tool: str, thread_id: str, took_s: float) -> None:
        if tool not in self._warned:
            self._warned.add(tool)
            log.warning(
                "%s: the async tool %s blocked the event loop for %.1f s, and every other thread"
                " with it. Make it a sync tool, or use asyncio.to_thread inside.",
                thread_id,
                tool,
                took_s,
                extra={"thread_id": thread_id},
            )
