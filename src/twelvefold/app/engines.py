"""Which log and which engine an application has, by name; an engine with extra dependencies loads
when asked for.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from twelvefold.engine.embedded import EmbeddedEngine
from twelvefold.exceptions import ConfigurationError
from twelvefold.loop import Engine, Surroundings
from twelvefold.schedules import Schedule
from twelvefold.store import EmbeddedStore

EngineName = Literal["embedded", "procrastinate"]
S = TypeVar("S")
DEFAULT_STORE = ".twelvefold/threads.db"
ENGINES: tuple[EngineName, ...] = ("embedded", "procrastinate")


def settled(
    store: EmbeddedStore | str | Path | None, engine: EngineName | None
) -> tuple[EmbeddedStore | str | Path, EngineName]:
    """As the application says. Where it names no log, the environment does, and with it the engine:
    a script of the user's writes where the workers read. Raises `ConfigurationError`."""
    if store is not None:
        return store, checked_engine(engine or "embedded")
    if not (place := os.environ.get("TWELVEFOLD_STORE")):
        return DEFAULT_STORE, checked_engine(engine or "embedded")
    named = os.environ.get("TWELVEFOLD_ENGINE") or "embedded"
    return place, engine or checked_engine(named, "TWELVEFOLD_ENGINE")


def checked_engine(name: str, said: str = "engine") -> EngineName:
    """`said`: by which name it was given. Raises `ConfigurationError`."""
    for known in ENGINES:
        if name == known:
            return known
    raise ConfigurationError(f"{said}={name!r} is none of {', '.join(ENGINES)}.")


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
