"""A decision as data: drafts to commit, and the acts that remain to be carried out."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from twelvefold.effects import Run, Tool
from twelvefold.exceptions import NotReady
from twelvefold.messages import ModelRequest
from twelvefold.state import Chosen, State
from twelvefold.store import Append, Timer
from twelvefold.thread import Draft


@dataclass(slots=True)
class CallModel:
    """One model call to make: the request as it will be sent, and what its reply must be: a step of
    `steps`, or an `answer` for the step `settles`, of the intent `intent`."""

    request: ModelRequest
    steps: Any
    model: str | None
    answer: Any = None
    settles: str = ""
    intent: str = ""


@dataclass(slots=True)
class CallTool:
    """One tool call to make. `step` was parsed anew from the stored arguments for this run."""

    run: Run[Any]
    step: BaseModel
    step_id: str
    intent: str
    attempt: int


@dataclass(slots=True)
class Reconcile:
    """Ask `reconcile` what became of the attempt that was cut off."""

    call: CallTool
    tool: Tool


Act = CallModel | CallTool | Reconcile


@dataclass(slots=True)
class Plan:
    """What one decision means: drafts for this thread, appends for others, acts to carry out."""

    waits: bool = False
    drafts: list[Draft] = field(default_factory=lambda: [])
    acts: list[Act] = field(default_factory=lambda: [])
    others: list[Append] = field(default_factory=lambda: [])
    timers: list[Timer] = field(default_factory=lambda: [])
    cancel: list[str] = field(default_factory=lambda: [])

    def then(self, other: "Plan") -> "Plan":
        """Both; whether to wait says the other one."""
        self.add(other)
        self.waits = other.waits
        return self

    def add(self, other: "Plan") -> None:
        self.drafts += other.drafts
        self.acts += other.acts
        self.others += other.others
        self.timers += other.timers
        self.cancel += other.cancel


def sleep_timer(step_id: str) -> str:
    """The key of the timer of a step that sleeps."""
    return f"sleep:{step_id}"


def ready_step(state: State[Any], step: BaseModel) -> Chosen[Any]:
    """The ready step that is this very object: a copy with other arguments is another step."""
    for chosen in state.ready:
        if chosen.step is step:
            return chosen
    name = getattr(step, "intent", type(step).__name__)
    raise NotReady(
        f"{name} is not a ready step of {state.thread_id}: pass the object from state.ready."
    )
