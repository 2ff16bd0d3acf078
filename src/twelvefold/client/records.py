"""What the client returns: records of what the API shows. Fields that a newer server adds are left
out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from twelvefold.exceptions import Unreachable
from twelvefold.thread import Event, Json, from_text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WaitInfo:
    """What a thread waits for: a `contact` (its full id), a `timer`, a `signal` or a `child`."""

    kind: str
    name: str
    step: str


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """A thread as lists know it. `head` is the number of its events."""

    id: str
    agent: str
    status: str
    head: int
    title: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    steps: int = 0
    tokens: int = 0
    cost: float = 0.0
    waits: tuple[WaitInfo, ...] = ()
    failed: str | None = None
    parent: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """How a contact ended: by whom, when, and on which channel."""

    outcome: str
    by: str | None = None
    at: datetime | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class ContactInfo:
    """What waits for a person. `digest` is of what is shown here: an approval sends it back.

    `accepts`, `form`, `edit_schema`, `options`, `notice` and `decided` are those of one contact;
    in a list they are empty.
    """

    id: str
    thread: str
    agent: str
    status: str
    kind: str
    intent: str = ""
    risk: str = "low"
    question: str = ""
    args: dict[str, Any] = field(default_factory=dict[str, Any])
    asked_of: str = ""
    asked_at: datetime | None = None
    deadline: datetime | None = None
    digest: str | None = None
    outcome: str | None = None
    closed_at: datetime | None = None
    accepts: tuple[str, ...] = ()
    form: dict[str, Any] | None = None
    edit_schema: dict[str, Any] | None = None
    options: tuple[dict[str, Any], ...] = ()
    notice: dict[str, Any] | None = None
    decided: Decided | None = None


@dataclass(frozen=True, slots=True)
class StepInfo:
    """What an agent may choose. `needs_approval`: without a yes it does not run."""

    intent: str
    description: str = ""
    risk: str = "low"
    needs_approval: bool = False
    schema: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """An agent of the application. `limits` maps each to its number, or to None for no limit."""

    name: str
    version: str = ""
    owner: str = ""
    steps: tuple[StepInfo, ...] = ()
    limits: dict[str, float | None] | None = None
    upcasts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextInfo:
    """A request to a model, made again over the events up to `after`.

    `at`: the reply that answered it; None for one that is not sent yet. `same`: whether these are
    the bytes that were sent. `body`: what goes to the provider.
    """

    thread: str
    at: int | None
    after: int
    messages: tuple[dict[str, Any], ...]
    hash: str
    recorded_hash: str | None = None
    same: bool | None = None
    usage: dict[str, Any] | None = None
    steps: Any = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class VerifiedInfo:
    """Whether a log is what was written. `broken_at`: the first event that is not."""

    thread: str
    valid: bool
    events: int
    erased: int = 0
    broken_at: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and where it goes on."""

    data: Sequence[T]
    next_cursor: str | None


def record(cls: type[T], data: Json) -> T:
    """Raises `Unreachable` for what is no such thing: then another server answers there."""
    try:
        return _adapter(cls).validate_python(data)
    except ValueError as error:
        raise Unreachable(
            f"No {cls.__name__} was answered: is this a twelvefold server?"
        ) from error


def json_of(content: bytes) -> Json:
    """Raises `Unreachable`."""
    try:
        return from_text(content.decode())
    except (ValueError, RecursionError) as error:
        raise Unreachable("The answer is no JSON: is this a twelvefold server?") from error


def event_of(data: Json) -> Event:
    return record(Event, data)


@cache
def _adapter(cls: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(cls)
