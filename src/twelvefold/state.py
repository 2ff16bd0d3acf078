"""State: what a log means, as `decide` reads it. Derived; only the reducer changes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeForm

from twelvefold.policy import Policy, Risk
from twelvefold.steps import complaint, digest, filled, intent_of, members, read_step, schema_hash
from twelvefold.thread import Event, Json, Thread, from_text, to_text

S = TypeVar("S", bound=BaseModel)
S_co = TypeVar("S_co", bound=BaseModel, covariant=True)
M = TypeVar("M", bound=BaseModel)
R = TypeVar("R")

Upcaster = Callable[[dict[str, Json]], dict[str, Json]]
ChosenBy = Literal["model", "code", "human"]
ContactKind = Literal["approval", "question", "outcome", "repair"]
StepStatus = Literal[
    "open", "unknown", "returned", "failed", "denied", "edited", "withdrawn", "closed"
]
"""The first two are of open steps. unknown: a run was cut off; closed: the thread ended before
it."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person said to one contact."""

    by: str
    decision: str
    at: datetime
    seq: int


@dataclass(slots=True)
class Contact:
    """A question or approval. `outcome` is None while it is open; `closed_*` say who ended it and
    how."""

    id: str
    step: str
    kind: ContactKind
    intent: str
    policy: Policy
    asked_at: datetime
    seq: int
    risk: Risk = "low"
    question: str = ""
    digest: str | None = None
    deadline: datetime | None = None
    votes: list[Vote] = field(default_factory=list[Vote])
    outcome: str | None = None
    closed_by: str = ""
    closed_at: datetime | None = None
    closed_channel: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes, bound to the contact it was given in and to the digest that was shown there."""

    contact: str
    digest: str


class Chosen(Generic[S_co]):
    """One chosen step, from the choice to its outcome.

    `step` is parsed once, so that effects can name it by identity. `waiting` names what must end
    first: a contact, timer, signal, child or run. `after` is the head that the choice had seen.
    """

    __slots__ = (
        "_state", "_step", "after", "answer", "approval", "args", "at", "attempts", "by", "choice",
        "edits", "error", "first_attempt", "id", "intent", "person", "reconciled", "result",
        "run_again", "seq", "status", "unreadable", "waiting",
    )  # fmt: skip

    def __init__(self, state: "State[Any]", id: str, event: Event) -> None:
        data = event.data
        self._state = state
        self._step: BaseModel | None = None
        self.id = id
        self.seq = event.seq
        self.at = event.at
        self.after = event.seq if event.after is None else event.after
        self.intent: str = data["intent"]
        self.args: dict[str, Json] = data["args"]
        self.by: ChosenBy = data["by"]
        self.person: str | None = data.get("person")
        self.edits: str | None = data.get("edits")
        self.status: StepStatus = "open"
        self.waiting: str | None = None
        self.attempts, self.first_attempt = 0, 1  # older outcomes are those of a copied log
        self.run_again = False  # if cut off, the newest run did nothing: known, or somebody said so
        self.reconciled = False  # `reconcile` was tried after the newest attempt and did not know
        self.result: Json = None
        self.error: str | None = None
        self.answer: Json = None
        self.choice: str | None = None
        given = data.get("approval")
        self.approval = Approval(given["contact"], given["digest"]) if given else None
        self.unreadable: str | None = None

    @property
    def step(self) -> S_co:
        """The parsed step, always the same object. Raises `ValueError` when today's class refuses
        it."""
        if not self.readable:
            raise ValueError(self.unreadable)
        return cast(S_co, self._step)

    @property
    def readable(self) -> bool:
        """Whether today's class still reads the stored arguments; if not, `unreadable` says why."""
        if self._step is None and self.unreadable is None:
            try:
                self._step = self.parse()
            except ValueError as error:
                self.unreadable = str(error)
        return self._step is not None

    def parse(self) -> BaseModel:
        """A new object from the stored arguments, in nobody's hands. Raises `ValueError`."""
        cls = self._state.classes.get(self.intent)
        if cls is None:
            raise ValueError(f"no step of this agent has the intent {self.intent!r}")
        try:
            return read_step(cls, self._upcast())
        except ValidationError as error:
            raise ValueError(complaint(error)) from error

    def args_today(self) -> dict[str, Json]:
        """The arguments of what would run, with what its class has got since. Raises
        `ValueError`."""
        return filled(self._upcast(), self.parse())

    def _upcast(self) -> dict[str, Json]:
        args = from_text(to_text(self.args))
        upcast = self._state.upcasters.get(self.intent)
        try:
            return args if upcast is None else upcast(args)
        except Exception as error:  # the user's code on old data: a person repairs the step
            raise ValueError(f"its upcaster fails: {type(error).__name__}: {error}") from error

    @property
    def approved(self) -> bool:
        """A person approved exactly these arguments, under today's structure, in this thread.

        Recomputed each time: another structure, a fork or a tampered row voids it.
        """
        return self.approval is not None and self.approval.digest == self.digest(
            self.approval.contact
        )

    def digest(self, contact: str) -> str | None:
        """What a person approves in `contact`; None when today's code cannot read the step."""
        try:
            args = self.args_today()
        except ValueError:
            return None
        return digest(
            tenant=self._state.tenant,
            thread_id=self._state.thread_id,
            contact=contact,
            intent=self.intent,
            schema=schema_hash(self._state.classes[self.intent]),
            args=args,
        )

    def result_as(self, form: TypeForm[R]) -> R:
        """The result, validated as `form`. Raises pydantic's `ValidationError`."""
        return _adapter(form, str(form)).validate_python(self.result)

    def settle(self, status: StepStatus, *, result: Json = None, error: str | None = None) -> None:
        self.status, self.result, self.error, self.waiting = status, result, error, None
        self._state.forget_open(self.id)


@cache
def _adapter(form: Any, name: str) -> TypeAdapter[Any]:  # `name` because A | B equals B | A
    return TypeAdapter(form)


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
        self.signals: dict[str, list[Json]] = {}  # that no step has taken yet, oldest first
        self.failures_in_a_row = 0
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

    def hear(self, at: datetime) -> None:
        """A person said something: failures and limits count from here."""
        self.failures_in_a_row = 0
        self.failures_of.clear()
        self.spent = Spent(since=at)
        self.limited = None

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
