"""The application that is served: one agent that asks, its full log, and the server's process.

`python -m benchmarks.served.site LOG` serves it on a free port, which it prints.
"""

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, ClassVar, Literal

from benchmarks import work
from twelvefold import Agent, App, Approve, Choose, Finish, Step, Wait
from twelvefold.keys import CHANCE_BYTES, new_key
from twelvefold.store import Append, Create
from twelvefold.thread import Draft

OPEN, LONG = 5_000, 10_000
WATCHED = 20
"""Threads that are watched and written to."""
LONG_ID = "long"


class Pay(Step):
    risk: ClassVar = "high"
    intent: Literal["pay"] = "pay"
    to: str = "anna"
    euros: int = 400


def decide(_: Any, state: Any) -> Any:
    if state.ready:
        within = timedelta(days=2)
        return Approve(state.ready[0].step, by=["anna", "ben"], within=within)
    return Wait() if state.waiting else Choose(Pay()) if not state.by_id("s1") else Finish("done")


def application(log: Path) -> App:
    return App([Agent("shop", decide, Pay, owner="anna")], store=log)


async def fill(app: App) -> str:
    """A log with OPEN contacts and a thread of LONG events; the key that may read and write it."""
    for n in range(OPEN):
        await app.launch("shop", f"order {n}", thread_id=f"t{n}")
    await app.run(until_idle=True)
    at = datetime.now(UTC)
    first = Draft("message_received", {"text": "a long story"}, at, key="launch")
    await app.store.commit(Append(LONG_ID, [first], create=Create("shop")))
    notes = [Draft("note", {"text": f"line {n} " + "x" * 200}, at) for n in range(LONG - 1)]
    for n in range(0, len(notes), 500):
        await app.store.commit(Append(LONG_ID, notes[n : n + 500]))
    scopes = ["threads:read", "threads:write", "contacts:read", "contacts:answer"]
    chance = bytes(range(CHANCE_BYTES))
    key, token = new_key("bench", chance=chance, now=at, scopes=scopes, person="anna")
    app.store.add_key(key)
    return token


@contextmanager
def served(log: Path) -> Iterator[str]:
    """A server in a process of its own; its URL."""
    command = [sys.executable, "-m", "benchmarks.served.site", str(log)]
    process = Popen(command, stdout=PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def serve(log: Path) -> None:
    from twelvefold.server import create_app
    from twelvefold.server.listening import Listener, bound, url_of

    served = create_app(application(log), requests_per_minute_max=1_000_000)
    with bound("127.0.0.1", 0) as listens:
        gc.freeze()  # as `twelvefold serve` does
        gc.set_threshold(work.YOUNG_MAX)
        told = partial(print, url_of(listens), flush=True)
        asyncio.run(Listener(served, grace_s=1, started=told).listen(listens, until=None))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
