"""An agent: a name, a pure `decide`, the union of its steps, and who owns it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from pydantic import BaseModel
from typing_extensions import TypeForm

from twelvefold.effects import D, Effect, S
from twelvefold.limits import Limits
from twelvefold.policy import By, Policy, policy_of
from twelvefold.reducer import reduce
from twelvefold.state import State, Upcaster
from twelvefold.steps import members
from twelvefold.thread import Thread

T = TypeVar("T", bound=BaseModel)
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, init=False)
class Agent(Generic[S, D]):
    """What runs a thread. `owner` settles repairs and unknown outcomes; `limits=None` is no limits.

    `deps(tenant)` is called when a tool runs, never in a replay. `upcasters` turn the stored
    arguments of an intent into today's. Raises `InvalidSteps`.
    """

    name: str
    decide: Callable[[Thread, State[Any]], Effect[Any, Any]]
    steps: Any
    deps: Callable[[str], Any] | None
    owner: Policy
    limits: Limits | None
    upcasters: Mapping[str, Upcaster]

    @overload
    def __init__(
        self: "Agent[T, None]",
        name: str,
        decide: Callable[[Thread, State[T]], Effect[T, None]],
        steps: TypeForm[T],
        *,
        owner: By,
        limits: Limits | None = ...,
        upcasters: Mapping[str, Upcaster] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        decide: Callable[[Thread, State[S]], Effect[S, D]],
        steps: TypeForm[S],
        *,
        deps: Callable[[str], D],
        owner: By,
        limits: Limits | None = ...,
        upcasters: Mapping[str, Upcaster] | None = None,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        decide: Callable[[Thread, State[Any]], Effect[Any, Any]],
        steps: Any,
        *,
        owner: By,
        deps: Callable[[str], Any] | None = None,
        limits: Limits | None = DEFAULT_LIMITS,
        upcasters: Mapping[str, Upcaster] | None = None,
    ) -> None:
        members(steps)
        given = (name, decide, steps, deps, policy_of(owner), limits, dict(upcasters or {}))
        names = ("name", "decide", "steps", "deps", "owner", "limits", "upcasters")
        for field_name, value in zip(names, given, strict=True):
            object.__setattr__(self, field_name, value)

    def state(self, thread: Thread) -> State[S]:
        """The state of a thread, read with this agent's steps and upcasters."""
        return reduce(thread, self.steps, upcasters=self.upcasters)
