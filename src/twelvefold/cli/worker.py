"""`twelvefold worker`: advance the threads of a log and launch what is scheduled, until stopped.

The first SIGTERM or SIGINT ends the taking of work; running tools get `--grace` to end. After that,
or at a second signal, the process leaves as if it were killed: the log is made for that.
"""

import asyncio
import os
import signal
from math import inf
from typing import NoReturn

import click

from twelvefold.app.listening import listening
from twelvefold.cli import exits
from twelvefold.cli.finding import ENGINES
from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.loop import Engine, Holds
from twelvefold.thread import Json, to_iso

GRACE_S = 30.0
STALL_S_MIN = 1.0
CANCEL_S = 1.0
"""What tools that are cancelled at the end of the grace may take to clean up."""


@command()
@click.option(
    "--grace",
    "grace_s",
    type=click.FloatRange(min=0),
    default=GRACE_S,
    show_default=True,
    metavar="SECONDS",
    help="How long running tools may take to end.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="embedded: one process; procrastinate: several on Postgres [TWELVEFOLD_ENGINE].",
)
@click.option(
    "--stall",
    "stall_s",
    type=click.FloatRange(min=STALL_S_MIN),
    metavar="SECONDS",
    help="A worker that is silent for so long is dead (procrastinate).",
)
@click.pass_obj
def worker(here: Here, grace_s: float, engine: str | None, stall_s: float | None) -> int:
    """Advance threads, fire timers and launch what is scheduled, until SIGTERM or SIGINT.

    While another process does that for the same log, this one stands by and takes over; with the
    engine procrastinate they share the threads.
    """
    here.warns, here.engine_name = True, engine
    return here.stay(_work(here, grace_s, stall_s))


async def _work(here: Here, grace_s: float, stall_s: float | None) -> int:
    engine = here.app.new_engine(stall_s=stall_s)
    says = _Says(here, engine)
    stops: asyncio.Queue[int] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stops.put_nowait, number)
    running = asyncio.ensure_future(engine.run(told=says.holds))
    async with listening(here.app):
        await _until_told(running, stops, engine, says, grace_s)
    running.result()  # raises what ended it
    says.stopped()
    return exits.DONE


async def _until_told(
    running: "asyncio.Future[bool]",
    stops: "asyncio.Queue[int]",
    engine: Engine,
    says: "_Says",
    grace_s: float,
) -> None:
    if not await _ends(running, stops, timeout_s=None):
        engine.stop(grace_s=inf)  # the grace is kept here, where a second signal ends it
        says.stopping(grace_s)
        if not await _ends(running, stops, timeout_s=grace_s):
            says.cut_off()
            running.cancel()
            await asyncio.wait({running}, timeout=CANCEL_S)
            _leave()


async def _ends(
    running: "asyncio.Future[bool]", stops: "asyncio.Queue[int]", *, timeout_s: float | None
) -> bool:
    """Whether the engine ended before the next signal, and in time."""
    told = asyncio.ensure_future(stops.get())
    try:
        await asyncio.wait({running, told}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
    return running.done()


def _leave() -> NoReturn:
    """A tool in a thread cannot be ended from outside, and would hold the interpreter."""
    os._exit(exits.INTERRUPTED)


class _Says:
    """What the worker does, as lines for people or as JSON Lines."""

    def __init__(self, here: Here, engine: Engine) -> None:
        self.here, self.engine = here, engine

    def holds(self, holds: Holds) -> None:
        if holds == "standby":
            runner = self.here.app.store.runner_pid()
            who = "another process" if runner is None else f"process {runner}"
            line = f"{who} advances threads; this one takes over when that one ends"
            return self._say(holds, line, runner=runner)
        schedules = {
            s.name: to_iso(s.next_after(self.here.app.clock())) for s in self.engine.schedules
        }
        words = [f"{name} is due at {slot}" for name, slot in schedules.items()]
        self._say(holds, ", ".join(["threads as they wake", *words]), schedules=schedules)

    def stopping(self, grace_s: float) -> None:
        under_way = self.engine.under_way
        line = f"{under_way} threads are under way and have {grace_s:g} s to end"
        self._say("stopping", line, under_way=under_way, grace_s=grace_s)

    def cut_off(self) -> None:
        under_way = self.engine.under_way
        line = f"{under_way} threads did not end in time; the next worker goes on with them"
        self._say("cut_off", line, under_way=under_way)

    def stopped(self) -> None:
        self._say("stopped", "all that was under way is recorded")

    def _say(self, state: str, line: str, **fields: Json) -> None:
        try:
            if self.here.json:
                self.here.out.document("worker/1", state=state, pid=os.getpid(), **fields)
            else:
                self.here.out.line(f"{state.replace('_', ' '):<10} {line}")
        except BrokenPipeError:  # nobody reads: the work goes on
            self.here.out.mute()
