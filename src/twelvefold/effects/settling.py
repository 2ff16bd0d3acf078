"""Effects that end a step without a tool, or wait for what ends it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from twelvefold.thread import Json


@dataclass(frozen=True, slots=True)
class Settle:
    """Close a step that needs no tool."""

    step: BaseModel
    result: Json = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """The step ends when the time has come. `until` is aware."""

    step: BaseModel
    until: datetime


@dataclass(frozen=True, slots=True)
class WaitFor:
    """The step ends when somebody sends this signal; its data is the result."""

    step: BaseModel
    signal: str


@dataclass(frozen=True, slots=True)
class Delegate:
    """Launch a thread of another agent, once per step; what it finishes with is the result."""

    step: BaseModel
    agent: str
    task: str


@dataclass(frozen=True, slots=True)
class Compact:
    """From now on `summary` stands for the events up to `upto` in the default rendering. The log
    keeps
    them."""

    upto: int
    summary: str


@dataclass(frozen=True, slots=True)
class Finish:
    """End for now; a later message goes on. `step` is the one that said so: a message that came
    after
    its choice had been made keeps the thread going."""

    message: str
    step: BaseModel | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until something arrives."""
