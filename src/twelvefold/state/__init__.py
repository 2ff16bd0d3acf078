"""State: what a log means, as `decide` reads it. Derived; only the reducer changes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from typing_extensions import TypeForm

from twelvefold.state.chosen import Chosen as Chosen
from twelvefold.state.chosen import ChosenBy as ChosenBy
from twelvefold.state.chosen import StepStatus as StepStatus
from twelvefold.state.chosen import Upcaster as Upcaster
from twelvefold.state.contact import Approval as Approval
from twelvefold.state.contact import Contact as Contact
from twelvefold.state.contact import ContactKind as ContactKind
from twelvefold.state.contact import Vote as Vote
from twelvefold.state.contact import contact_of as contact_of
from twelvefold.state.contact import moved as moved
from twelvefold.steps import intent_of, members
from twelvefold.thread import Event, Json, Thread

S_co = TypeVar("S_co", bound=BaseModel, covariant=True)
M = TypeVar("M", bound=BaseModel)


@dataclass(slots=True)
class Spent:
    """What the model used since the last human input or grant."""

    since: datetime | None = None
    steps: int = 0
    tokens: int = 0
    cost: float = 0.0


class State(Generic[S_co]):
    """What a log means. Derived, never stored; `fold` applies one event to it in place."""

    def __init__(
        self,
        thread: Thread,
        steps: TypeForm[Any] | None = None,
        *,
        upcasters: Mapping[str, Upcaster] | None = None,
    ) -> None:
        self.thread_id, self.tenant = thread.id, thread.tenant
        self.classes: Mapping[str, type[BaseModel]] = {} if steps is None else members(steps)
        self.upcasters: Mapping[str, Upcaster] = upcasters or {}
        self.seq = 0
        self.now: datetime | None = None
        self.contacts: dict[str, Contact] = {}
        self.open_contacts: dict[str, Contact] = {}
        self.refusals: dict[str, int] = {}
        self.unread: list[int] = []
        self.messages: list[tuple[int, tuple[str, ...]]] = []  # each with those who sent it
        self.told: list[tuple[int, tuple[str, ...]]] = []  # what else people said, with who did
        self.signals: dict[str, list[Json]] = {}  # that no step has taken yet, oldest first
        self.failures_in_a_row = 0
        self.last_failure = ""
        self.failures_of: dict[str, int] = {}
        self.model_calls = 0
        self.usage: dict[str, float] = {}
        self.spent = Spent()
        self.compacted = 0  # the newest summary stands for the events up to here
        self.finished = self.cancelled = self.paused = False
        self.limited: str | None = None
        self.failed: str | None = None
        self.newer: Event | None = None  # the first core event that this version cannot read
        self._steps: dict[str, Chosen[Any]] = {}
        self._open: dict[str, Chosen[Any]] = {}
        self._of_intent: dict[str, list[Chosen[Any]]] = {}

    @property
    def open(self) -> Sequence[Chosen[S_co]]:
        """Steps without an outcome, oldest first."""
        return list(self._open.values())

    @property
    def ready(self) -> Sequence[Chosen[S_co]]:
        """Open steps that wait for nothing and that today's classes can read."""
        return [c for c in self._open.values() if c.waiting is None and c.readable]

    @property
    def waiting(self) -> bool:
        """Whether an open step waits for a contact, timer, signal, child or run."""
        return any(c.waiting is not None for c in self._open.values())

    @property
    def unreadable(self) -> Sequence[Chosen[Any]]:
        return [c for c in self._open.values() if c.waiting is None and not c.readable]

    @property
    def stopped(self) -> bool:
        """Whether nothing is to be decided until somebody resumes, answers or writes."""
        return self.cancelled or self.paused or self.limited is not None or self.failed is not None

    def last(self, cls: type[M]) -> Chosen[M] | None:
        """The newest choice of this kind, open or settled."""
        chosen = self._of_intent.get(intent_of(cls))
        return chosen[-1] if chosen else None

    def all(self, cls: type[M]) -> Sequence[Chosen[M]]:
        """All choices of this kind, oldest first."""
        return list(self._of_intent.get(intent_of(cls), ()))

    def by_id(self, step_id: str) -> Chosen[Any] | None:
        return self._steps.get(step_id)

    def open_step(self, step_id: Json) -> Chosen[Any] | None:
        return self._open.get(step_id) if isinstance(step_id, str) else None

    def remember(self, event: Event) -> None:
        """Take in a chosen step. Step ids count choices, so a crash changes none of them."""
        chosen: Chosen[Any] = Chosen(self, f"s{len(self._steps) + 1}", event)
        self._steps[chosen.id] = self._open[chosen.id] = chosen
        self._of_intent.setdefault(chosen.intent, []).append(chosen)

    def forget_open(self, step_id: str) -> None:
        self._open.pop(step_id, None)

    def senders(self, upto: int) -> Sequence[str]:
        """Who is known to have sent a message up to here, or to have answered a question."""
        said = (*self.messages, *self.told)
        return [name for seq, names in said if seq <= upto for name in names]

    def was_written_to_after(self, seq: int) -> bool:
        """Whether a message came after this event."""
        return bool(self.messages) and self.messages[-1][0] > seq

    def hear(self, at: datetime) -> None:
        """A person said something: failures and limits count from here."""
        self.recover()
        self.failures_of.clear()
        self.spent = Spent(since=at)
        self.limited = None

    def count_failure(self, told: str) -> None:
        self.failures_in_a_row += 1
        self.last_failure = told

    def recover(self) -> None:
        self.failures_in_a_row, self.last_failure = 0, ""

    def count_call(self, usage: Mapping[str, float] | None) -> None:
        self.model_calls += 1
        self.spent.steps += 1
        self.add_usage(usage)

    def add_usage(self, usage: Mapping[str, float] | None) -> None:
        used = usage or {}
        for name, count in used.items():
            self.usage[name] = self.usage.get(name, 0) + count
        self.spent.tokens += int(used.get("input", 0) + used.get("output", 0))
        self.spent.cost += used.get("cost", 0.0)
