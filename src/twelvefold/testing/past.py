"""What the facts of `given` are made from: the history so far, and its time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NoReturn, Union

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.directory import NAMES_ALONE, Directory
from twelvefold.effects import Effect, Wait
from twelvefold.exceptions import ConfigurationError
from twelvefold.plan import begin
from twelvefold.reducer import fold
from twelvefold.state import Chosen, State
from twelvefold.steps import Step
from twelvefold.thread import Draft, Thread

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(seconds=1)
OWNER = "owner"


class Past:
    """What happened so far, and the time."""

    def __init__(
        self, thread: Thread, agent: Agent[Any, Any], directory: Directory = NAMES_ALONE
    ) -> None:
        self.thread, self.agent, self.directory = thread, agent, directory
        self.state: State[Any] = agent.state(thread)
        self.now = thread.events[-1].at + TICK if thread.head else START

    def append(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            event = draft.event(self.thread.head + 1)
            self.thread = self.thread.grown([event])
            fold(self.state, event)
        self.now += TICK if drafts else timedelta()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened: drafts, made from what happened before. `classes` are its steps."""

    make: Callable[[Past], Sequence[Draft]]
    classes: tuple[type[BaseModel], ...] = ()


def agent_of(facts: Sequence[Fact]) -> Agent[Any, Any]:
    classes = tuple(dict.fromkeys(cls for fact in facts for cls in fact.classes)) or (_Unsaid,)
    steps: Any = Union[classes]  # noqa: UP007 - made at run time
    return Agent("agent", lambda thread, state: Wait(), steps, owner=OWNER)


class _Unsaid(Step):
    """The union of histories in which nothing was chosen."""

    intent: Literal["unsaid"] = "unsaid"


def begun(past: Past, effect: Effect[Any, Any]) -> list[Draft]:
    given = (past.state, past.thread, past.agent)
    plan = begin(effect, *given, now=past.now, directory=past.directory)
    for draft in plan.drafts:
        draft.after = past.thread.head
    return plan.drafts


def ready(past: Past, step: str | None) -> Chosen[Any]:
    ready = [c for c in past.state.ready if step in (None, c.id)]
    return ready[-1] if ready else missing(f"ready step {step or ''}")


def missing(what: str) -> NoReturn:
    raise ConfigurationError(f"given: there is no {what} here. Put the fact that makes it before.")
