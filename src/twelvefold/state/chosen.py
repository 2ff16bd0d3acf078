"""One chosen step, from the choice to its outcome."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeForm

from twelvefold.state.contact import Approval
from twelvefold.steps import complaint, digest, filled, read_step, schema_hash
from twelvefold.thread import Event, Json, from_text, to_text

if TYPE_CHECKING:
    from twelvefold.state import State

S_co = TypeVar("S_co", bound=BaseModel, covariant=True)
R = TypeVar("R")

Upcaster = Callable[[dict[str, Json]], dict[str, Json]]
ChosenBy = Literal["model", "code", "human"]
StepStatus = Literal[
    "open", "unknown", "returned", "failed", "denied", "edited", "withdrawn", "closed"
]
"""The first two are of open steps. unknown: a run was cut off; closed: the thread ended before
it."""


class Chosen(Generic[S_co]):
    """One chosen step, from the choice to its outcome.

    `step` is parsed once, so that effects can name it by identity. `waiting` names what must end
    first: a contact, timer, signal, child or run. `after` is the head that the choice had seen.
    """

    __slots__ = (
        "_state", "_step", "after", "answer", "approval", "args", "at", "attempts", "by", "choice",
        "edits", "error", "first_attempt", "id", "intent", "person", "reconciled", "result",
        "run_again", "seq", "status", "unreadable", "vote", "waiting",
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
        self.approval = _bound(data.get("approval"))
        self.vote = _bound(data.get("vote"))  # the editor's, where hers alone was not enough
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
        args = _copied(self.args)
        upcast = self._state.upcasters.get(self.intent)
        try:
            return args if upcast is None else upcast(args)
        except Exception as error:  # the user's code on old data: a person repairs the step
            raise ValueError(f"its upcaster fails: {type(error).__name__}: {error}") from error

    @property
    def initiators(self) -> tuple[str, ...]:
        """Who asked for it: the senders of the messages that the choice had read, and whoever
        edited it. Nobody where no sender is known."""
        edited = self._state.by_id(self.edits) if self.edits else None
        before = edited.initiators if edited is not None else ()
        names = (*self._state.senders(self.after), *before, self.person)
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def approved(self) -> bool:
        """A person approved exactly these arguments, under today's structure, in this thread.

        Recomputed each time: another structure, a fork or a tampered row voids it.
        """
        return self.approval is not None and self.approval.digest == self.digest(
            self.approval.contact
        )

    @property
    def edit_counts(self) -> bool:
        """Whether its editor has thereby said yes to exactly these arguments."""
        return self.vote is not None and self.vote.digest == self.digest(self.vote.contact)

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


def _copied(args: dict[str, Json]) -> dict[str, Json]:
    """So that nobody's hands reach into the log."""
    for value in args.values():
        if isinstance(value, (dict, list)):
            return from_text(to_text(args))
    return args.copy()  # as a rule: nobody can change a text or a number


def _bound(given: dict[str, Json] | None) -> Approval | None:
    return None if given is None else Approval(given["contact"], given["digest"])


@cache
def _adapter(form: Any, name: str) -> TypeAdapter[Any]:  # `name` because A | B equals B | A
    return TypeAdapter(form)
