"""A case as data: where a thread stands, what the model replied there, and what must come of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from twelvefold.thread import Json, Thread

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(seconds=1)
"""When the first event of a case happened that does not say so, and the time to the next one."""

HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened: its name in the file, what it says, and its line."""

    name: str
    says: Json
    line: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a case. None is not asked.

    `args` are all arguments, `has` some of them. `effect` is what is decided before any model is
    asked, `then` what is decided once the reply has become a step.
    """

    intent: str | None = None
    args: Mapping[str, Json] | None = None
    has: Mapping[str, Json] | None = None
    asserts: tuple[str, ...] = ()
    answer: tuple[Json, ...] = ()
    refused: str | None = None
    effect: str | None = None
    waits: bool | None = None
    then: str | None = None

    @property
    def of_reply(self) -> bool:
        """Whether any of it is about what a model replies."""
        about = (self.intent, self.args, self.has, self.refused, self.then)
        return bool(self.asserts or self.answer) or any(one is not None for one in about)


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a file. Its thread is a `log`, or `facts` that the agent's own code turns into
    one.

    `reply` is the raw text of a model. `prompt` is what the model must read: the hash of a request,
    or the name of a snapshot, whose text is `snapshot`; None while there is none.
    """

    name: str
    file: str
    line: int
    expect: Expected
    agent: str | None = None
    log: Thread | None = None
    facts: tuple[Fact, ...] = field(default=())
    reply: str | None = None
    prompt: str | None = None
    snapshot: str | None = None

    @property
    def has_hash(self) -> bool:
        return self.prompt is not None and HASH.fullmatch(self.prompt) is not None

    @property
    def id(self) -> str:
        return f"{self.file}::{self.name}"

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.line}, case {self.name!r}"
