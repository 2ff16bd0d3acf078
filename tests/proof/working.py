"""A worker process of a crew, and what its agents do: every effect is written down outside.

`python -c "import working; working.main()" URL FOLDER STALL_S` is one worker. In its folder,
`effects` has a line for each begin and end of a tool, with the process that did it; `gate` lets
tools end that wait for it.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.deliveries import Delivery
from twelvefold.directory import Directory
from twelvefold.effects import Approve, Choose, Effect, Finish, Sleep, Wait, escalate, run
from twelvefold.policy import Risk
from twelvefold.state import State
from twelvefold.steps import Step
from twelvefold.stores.postgres import PostgresStore
from twelvefold.thread import Json, Thread

PAUSE_S = 0.01
BUSY_S = 0.05
STEPS = 5
NAP = timedelta(seconds=2)
WITHIN = timedelta(seconds=3)
"""Anna is asked for as long, reminded once, and then it is olga who is asked for as long."""
REMIND = timedelta(seconds=1)


class Do(Step):
    """`how`: `busy` for a moment, until the `gate` opens, or `kill` the process; `nap` sleeps, and
    `ask` waits for people who say nothing."""

    risk: ClassVar[Risk] = "low"
    intent: Literal["do"] = "do"
    how: str
    n: int


class Line(NamedTuple):
    """One begin or end of a tool."""

    what: str
    key: str
    attempt: int
    pid: int


class Effects:
    """The book outside of every store; a line is one write, so processes do not mix."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "effects"

    def note(self, what: str, call: Any) -> None:
        self.write(what, call.key, call.attempt)

    def write(self, what: str, key: str, attempt: int) -> None:
        with self.path.open("a") as file:
            file.write(f"{what} {key} {attempt} {os.getpid()}\n")

    @property
    def lines(self) -> list[Line]:
        if not self.path.exists():
            return []
        cells = [line.split() for line in self.path.read_text().splitlines()]
        return [Line(what, key, int(attempt), int(pid)) for what, key, attempt, pid in cells]

    def having(self, what: str) -> list[Line]:
        return [line for line in self.lines if line.what == what]


class Mail:
    """A way to people that writes down what it sent."""

    name = "email"

    def __init__(self, effects: Effects) -> None:
        self.effects = effects

    async def send(self, delivery: Delivery, /) -> Mapping[str, Json]:
        self.effects.write("mail", delivery.key, delivery.tried)
        return {}


PEOPLE = Directory(addresses={name: {"email": f"{name}@x.org"} for name in ("anna", "olga")})


def app_on(url: str, folder: Path) -> App:
    """Threads of `crew` do what the first word of their message says, `STEPS` times or once."""
    effects = Effects(folder)

    def do(step: Do, call: Any) -> int:
        effects.note("begin", call)
        if step.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if step.how == "busy":
            time.sleep(BUSY_S)
        while step.how == "gate" and not (folder / "gate").exists():
            time.sleep(PAUSE_S)
        effects.note("end", call)
        return step.n

    def decide(thread: Thread, state: State[Do]) -> Effect[Do]:
        if state.ready:
            return carried_out(state.ready[0], do)
        if state.waiting or state.finished:
            return Wait()
        how, done = str(thread.events[0].data["text"]), len(state.all(Do))
        if done == (STEPS if how == "busy" else 1):
            return Finish("done")
        return Choose(Do(how=how, n=done))

    store = PostgresStore(url)
    agent = Agent("crew", decide, Do, owner="olga", limits=None)
    return App(
        [agent],
        store=store,
        clock=store.clock,
        engine="procrastinate",
        channels=[Mail(effects)],
        directory=PEOPLE,
    )


def carried_out(chosen: Any, do: Any) -> Effect[Do]:
    match chosen.step.how:
        case "nap":
            return Sleep(chosen.step, chosen.at + NAP)
        case "ask":
            later = escalate(to="olga", within=WITHIN)
            return Approve(chosen.step, by="anna", within=WITHIN, remind=REMIND, on_expiry=later)
        case _:
            return run(do, chosen.step, retry_safe=True)


async def work(url: str, folder: Path, stall_s: float) -> None:
    app = app_on(url, folder)
    engine = app.new_engine(stall_s=stall_s)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, engine.stop)
    await engine.run()
    app.close()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d %(name)s %(message)s")
    url, folder, stall_s = sys.argv[1:]
    asyncio.run(work(url, Path(folder), float(stall_s)))
