"""What `decide` may return: frozen records. Every effect that takes time names one open step.

An effect names its step by identity: the very object from `state.ready`. pyright proves the rest: a
tool gets a step it takes, deps it knows, and only steps of the union are offered or chosen.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, Never, TypeVar, overload

from pydantic import BaseModel
from typing_extensions import TypeForm
from typing_extensions import TypeVar as DefaultTypeVar

from twelvefold.call import Call
from twelvefold.exceptions import ConfigurationError
from twelvefold.messages import Prompt
from twelvefold.policy import By
from twelvefold.thread import Json

S = TypeVar("S", bound=BaseModel)
S_co = TypeVar("S_co", bound=BaseModel, covariant=True)
D = DefaultTypeVar("D", default=object)
D_contra = DefaultTypeVar("D_contra", contravariant=True, default=object)
E_s = TypeVar("E_s", bound=BaseModel)
E_d = DefaultTypeVar("E_d", default=None)


@dataclass(frozen=True, slots=True, init=False)
class AskModel(Generic[S_co]):
    """Ask a model for one step of `steps`, or for an `answer` that settles `step`.

    An answer is of any type that pydantic knows; `str` is the reply as it is. Asking for a step
    while another waits is `Wait`, unless `while_waiting`. `model` picks one of `App(models={...})`;
    None is the first.
    """

    prompt: Prompt
    steps: Any
    answer: Any
    step: BaseModel | None
    while_waiting: bool
    model: str | None

    @overload
    def __init__(
        self,
        prompt: Prompt,
        steps: TypeForm[S_co],
        *,
        while_waiting: bool = False,
        model: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: "AskModel[Never]",
        prompt: Prompt,
        *,
        answer: TypeForm[Any],
        step: BaseModel,
        model: str | None = None,
    ) -> None: ...
    def __init__(
        self,
        prompt: Prompt,
        steps: Any = None,
        *,
        answer: Any = None,
        step: BaseModel | None = None,
        while_waiting: bool = False,
        model: str | None = None,
    ) -> None:
        put = object.__setattr__  # one by one: every turn makes one of these
        put(self, "prompt", prompt)
        put(self, "steps", steps)
        put(self, "answer", answer)
        put(self, "step", step)
        put(self, "while_waiting", while_waiting)
        put(self, "model", model)


@dataclass(frozen=True, slots=True, init=False)
class Choose(Generic[S_co]):
    """Code chooses these steps, as a model would."""

    steps: tuple[S_co, ...]

    def __init__(self, *steps: S_co) -> None:
        object.__setattr__(self, "steps", steps)


TOOLS_KEPT_MAX = 512

Tool = Callable[..., Any]
"""A tool as it is kept; `run` has checked what it takes."""

Transient = Callable[[BaseException], bool]
"""Whether trying once more may help after this error of a tool."""


@dataclass(frozen=True, slots=True)
class Run(Generic[D_contra]):
    """Made by `run()`, never by hand: only `run()` checks that the tool takes this step."""

    tool: Tool
    step: BaseModel
    name: str
    retry_safe: bool = False
    reconcile: Tool | None = None
    ungated: str | None = None
    timeout_s: float | None = None
    attempts: int = 1
    transient: "Transient | None" = None
    in_transaction: bool = False


@dataclass(frozen=True, slots=True)
class Approve:
    """Ask people whether exactly this step may run. `within`: after it the answer is no."""

    step: BaseModel
    by: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask people a question. The answer is the result of the step."""

    step: BaseModel
    question: str
    to: By = field(kw_only=True)
    within: timedelta | None = field(default=None, kw_only=True)


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


@dataclass(frozen=True, slots=True, init=False)
class All(Generic[S_co, D_contra]):
    """Begin all of them in one commit and do their I/O side by side. Empty is `Wait`."""

    effects: "tuple[One[S_co, D_contra], ...]"

    def __init__(self, *effects: "One[S_co, D_contra]") -> None:
        object.__setattr__(self, "effects", effects)


One = AskModel[E_s] | Choose[E_s] | Run[E_d] | Approve | Ask | Settle | Sleep | WaitFor | Delegate
"""What `All` may hold."""

Effect = One[E_s, E_d] | Compact | Finish | Wait | All[E_s, E_d]
"""What `decide` may return."""


@overload
def run(
    tool: Callable[[S], Any],
    step: S,
    *,
    retry_safe: bool = False,
    reconcile: Callable[[S], Any] | None = None,
    ungated: str | None = None,
    timeout_s: float | None = None,
    attempts: int = 1,
    transient: Transient | None = None,
) -> Run[object]: ...
@overload
def run(
    tool: Callable[[S, Call[D]], Any],
    step: S,
    *,
    retry_safe: bool = False,
    reconcile: Callable[[S, Call[D]], Any] | None = None,
    ungated: str | None = None,
    timeout_s: float | None = None,
    attempts: int = 1,
    transient: Transient | None = None,
    in_transaction: bool = False,
) -> Run[D]: ...
def run(
    tool: Tool,
    step: BaseModel,
    *,
    retry_safe: bool = False,
    reconcile: Tool | None = None,
    ungated: str | None = None,
    timeout_s: float | None = None,
    attempts: int = 1,
    transient: Transient | None = None,
    in_transaction: bool = False,
) -> Run[Any]:
    """Run `tool(step)` or `tool(step, call)`, sync or async, on this open step.

    - `retry_safe`: the outside world honours `call.key`, so a cut-off run is run again with it.
    - `reconcile`: asked after a cut-off run; takes what the tool takes and returns the tool's
      result when it ran, or raises `NothingHappened` when it did not (then it runs again). Any
      other exception means that it does not know, and the agent's owner is asked.
    - `ungated`: why a step of medium or high risk may run without approval. It is logged.
    - `timeout_s`: what all tries of this run may take. An async tool is then cancelled; a sync one
      goes on in its thread, and what it brings later is recorded as late.
    - `attempts`: how often errors that pass by themselves are tried, with the same key; more than
      one needs `retry_safe`. `transient` says which errors those are (`failures.is_transient`).
    - `in_transaction`: what the tool writes through `call.connection` commits with its outcome, or
      not at all, so a cut-off run is run again unasked. Named for where it runs, which is its cost
      too: nobody else writes to the store meanwhile. A short, sync tool without other effects.
    """
    name = getattr(tool, "__name__", type(tool).__name__)
    made = Run(tool, step, name, retry_safe, reconcile, ungated, timeout_s, attempts, transient)
    return _in_transaction(made) if in_transaction else made


def _in_transaction(run: Run[Any]) -> Run[Any]:
    tool = run.tool
    if inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(type(tool).__call__):
        raise ConfigurationError(
            f"{run.name} is async and would hold the write lock of the store while it waits. Make a"
            " tool of in_transaction=True sync; do what waits in a step before."
        )
    if any((run.retry_safe, run.reconcile, run.timeout_s, run.attempts > 1, run.transient)):
        raise ConfigurationError(
            f"{run.name}: in_transaction=True goes with ungated= alone. What fails or is cut off"
            " there did not happen: nothing is left to retry, to time or to reconcile."
        )
    return replace(run, in_transaction=True)


@lru_cache(TOOLS_KEPT_MAX)  # decide may make a new function each time it is called
def arity(tool: Tool) -> int:
    """How many arguments the tool demands: 1 (step) or 2 (step, call). Raises `ConfigurationError`.

    One with a default is not demanded: `f(step, retries=3)` is a tool of one.
    """
    parameters = inspect.signature(tool).parameters.values()
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    count = sum(p.default is p.empty and p.kind not in optional for p in parameters)
    if count not in {1, 2}:
        name = getattr(tool, "__name__", type(tool).__name__)
        raise ConfigurationError(
            f"{name} takes {count} arguments; a tool is f(step) or f(step, call)."
        )
    return count
