"""An application for the tests of the worker: its tool says that it works and waits at a pipe."""

import sys
from pathlib import Path
from typing import Literal

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import Choose, Effect, Finish, Wait, run
from twelvefold.schedules import Schedule
from twelvefold.state import State
from twelvefold.steps import Step
from twelvefold.thread import Thread


class Work(Step):
    intent: Literal["work"] = "work"
    on: str


def work(step: Work) -> str:
    sys.stderr.write(f"working on {step.on}\n")
    sys.stderr.flush()
    return Path("gate").read_text() if step.on == "gate" else "done"


def decide(thread: Thread, state: State[Work]) -> Effect[Work]:
    if state.ready:
        return run(work, state.ready[0].step, retry_safe=True)
    if state.waiting or state.finished:
        return Wait()
    done = state.last(Work)
    return Finish(str(done.result)) if done else Choose(Work(on=thread.events[0].data["text"]))


app = App(
    [Agent("bot", decide, Work, owner="anna")],
    schedules=[Schedule("yearly", "bot", "0 0 1 1 *", "the new year", zone="Asia/Tokyo")],
)
"""Nothing comes due while the tests run, but on New Year's Eve at 15:00 UTC."""
