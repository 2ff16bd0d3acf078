"""Which engine an application has, by name; one with extra dependencies loads when asked for."""

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from twelvefold.engine.embedded import EmbeddedEngine
from twelvefold.exceptions import ConfigurationError
from twelvefold.loop import Engine, Surroundings
from twelvefold.schedules import Schedule
from twelvefold.store import EmbeddedStore

EngineName = Literal["embedded", "procrastinate"]
S = TypeVar("S")
ENGINES: tuple[EngineName, ...] = ("embedded", "procrastinate")


def checked_engine(name: str) -> EngineName:
    for known in ENGINES:
        if name == known:
            return known
    raise ConfigurationError(f"engine={name!r} is none of {', '.join(ENGINES)}.")


def engine_of(
    name: EngineName,
    around: Surroundings,
    store: EmbeddedStore,
    schedules: Sequence[Schedule],
    *,
    stall_s: float | None = None,
) -> Engine:
    """Raises `ConfigurationError` for a store that the engine cannot work on."""
    if name == "embedded":
        return EmbeddedEngine(around, store, schedules=schedules)
    procrastinate = _procrastinate()
    timing = procrastinate.Timing() if stall_s is None else procrastinate.Timing(stall_s)
    return procrastinate.ProcrastinateEngine(around, store, schedules=schedules, timing=timing)


def told(name: EngineName, store: S) -> S:
    """The store, which tells this engine of each wake in the transaction that brings it. One that
    is not open yet is told when it is."""
    tell = getattr(store, "tell", None)
    if name == "procrastinate" and tell is not None:
        tell(_procrastinate().JobWakes())
    return store


def _procrastinate() -> Any:
    try:
        from twelvefold.engine import procrastinate
    except ImportError as error:
        raise ConfigurationError(
            "The engine procrastinate needs: pip install 'twelvefold[scale]'"
        ) from error
    return procrastinate
