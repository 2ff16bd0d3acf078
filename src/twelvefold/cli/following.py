"""Advance a thread and its family in this process, and show what happens until it rests.

Only one process advances the threads of a store. While another one holds that right, this one only
follows; should the other end midway, this one goes on.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from twelvefold.cli import exits
from twelvefold.cli.family import Family, Rest, rest_of
from twelvefold.cli.here import Here
from twelvefold.cli.timeline import Timeline
from twelvefold.cli.waits import rest_lines
from twelvefold.engine.embedded import POLL_S
from twelvefold.summary import short
from twelvefold.thread import Event, Thread, to_iso

SPINNER = "|/-\\"


def act_and_follow(
    here: Here,
    thread_id: str,
    acting: Callable[[], Coroutine[Any, Any, None]],
    *,
    detach: bool,
    timeout_s: float | None,
) -> int:
    """Carry out a verb on a thread that exists, then follow what follows from it."""
    family = Family(here.app.store, thread_id)
    family.skip()

    async def both() -> int:
        await acting()
        return exits.DONE if detach else await follow(here, family, timeout_s=timeout_s)

    return here.run(both())


async def follow(here: Here, family: Family, *, timeout_s: float | None) -> int:
    """Advance and show until nothing is left to advance; the exit code."""
    show = _Show(here, family)
    try:
        async with asyncio.timeout(timeout_s):
            rest = await _to_rest(here, family, show)
    except TimeoutError:
        if timeout_s is None:  # an error of the application, not our limit
            raise
        show.end()
        here.out.say(f"timeout: {short(family.root)} did not rest within {timeout_s:g} s.")
        then = here.again(f"twelvefold resume {short(family.root)}")
        here.out.say(f"next:    {then}")
        return exits.TIMEOUT
    finally:
        show.end()
    show.rest(rest)
    return rest.exit_code


async def _to_rest(here: Here, family: Family, show: "_Show") -> Rest:
    while True:
        advancing = asyncio.ensure_future(
            here.app.run(until_idle=True, only=family.root, wait_for_lock=False)
        )
        try:
            while not advancing.done():
                await asyncio.wait({advancing}, timeout=POLL_S)
                show.news()
        finally:
            advancing.cancel()
            await asyncio.gather(advancing, return_exceptions=True)
        for error in advancing.result().errors.values():
            raise error
        show.news()
        rest = rest_of(family.store, family.root)
        if not rest.going:
            return rest
        await asyncio.sleep(POLL_S)


class _Show:
    """Events as lines for people or as JSON Lines, a spinner while nothing happens."""

    def __init__(self, here: Here, family: Family) -> None:
        self.here, self.out, self.family = here, here.out, family
        self.timeline = Timeline(here.out, family.root)
        self.began = time.monotonic()
        self.spins = 0 if here.out.tty and not here.json else None

    def news(self) -> None:
        try:
            self._news(list(self.family.news()))
        except BrokenPipeError:  # `| head` must not cut a tool off
            self.out.mute()

    def _news(self, news: list[tuple[Thread, Event]]) -> None:
        if news:
            self._wipe()
        for thread, event in news:
            if self.here.json:
                self.out.document("event/1", **event_data(thread, event))
            else:
                self.timeline.add(thread.id, event)
        if not news and self.spins is not None:
            self.spins += 1
            elapsed = f"{time.monotonic() - self.began:.0f}s"
            self.out.raw(f"\r  {SPINNER[self.spins % len(SPINNER)]} {elapsed} ")

    def end(self) -> None:
        self._wipe()
        self.timeline.flush()

    def rest(self, rest: Rest) -> None:
        if self.here.json:
            self.out.document("rest/1", **rest_data(rest))
            return
        for line in rest_lines(self.here, rest):
            self.out.line(line)
        if rest.exit_code == exits.DONE:
            self.out.line(self._spent(rest))

    def _wipe(self) -> None:
        if self.spins:
            self.out.raw("\r\x1b[K")
            self.spins = 0

    def _spent(self, rest: Rest) -> str:
        spent = rest.root.summary
        cost = f", ${spent.cost:.4f}" if spent.cost else ""
        elapsed = f"{time.monotonic() - self.began:.1f}s"
        return f"finished {short(rest.root.ref.id)}  {elapsed}, {spent.tokens} tokens{cost}"


def event_data(thread: Thread, event: Event) -> dict[str, Any]:
    return {
        "thread": thread.id,
        "agent": thread.agent,
        "seq": event.seq,
        "type": event.type,
        "at": to_iso(event.at),
        "key": event.key,
        "after": event.after,
        "data": event.data,
    }


def rest_data(rest: Rest) -> dict[str, Any]:
    """As it is published. `exit`: how a command that follows would end; null while it goes on."""
    return {
        "thread": rest.root.ref.id,
        "status": rest.root.status,
        "waiting_for": list(rest.waits),
        "error": rest.row.summary.failed,
        "exit": None if rest.going else rest.exit_code,
    }
