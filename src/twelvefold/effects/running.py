"""`run(tool, step)`: the one effect that does something outside."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

from pydantic import BaseModel
from typing_extensions import TypeVar as DefaultTypeVar

from twelvefold.call import Call
from twelvefold.exceptions import ConfigurationError

S = TypeVar("S", bound=BaseModel)
D = DefaultTypeVar("D", default=object)
D_contra = DefaultTypeVar("D_contra", contravariant=True, default=object)

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
