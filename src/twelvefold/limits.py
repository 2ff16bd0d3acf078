"""Limits per thread, counted from the log since the last human input. Reaching one pauses the
thread."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from twelvefold.state import Spent
from twelvefold.thread import Json

STEPS_MAX = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model may use before a person has to look. None is no limit.

    `steps`: model calls. `tokens`: input and output. `cost`: US dollars. `wall_clock`: since the
    last
    human input.
    """

    steps: int | None = STEPS_MAX
    tokens: int | None = None
    cost: float | None = None
    wall_clock: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """The limit that stops the next call: its name, what was used, and what was allowed."""

    limit: str
    used: Json
    allowed: Json


def reached(limits: Limits, spent: Spent, *, now: datetime) -> Reached | None:
    """The first limit that another call would break."""
    used_s = 0.0 if spent.since is None else (now - spent.since).total_seconds()
    allowed_s = None if limits.wall_clock is None else limits.wall_clock.total_seconds()
    used: tuple[tuple[str, float, float | None], ...] = (
        ("steps", spent.steps, limits.steps),
        ("tokens", spent.tokens, limits.tokens),
        ("cost", spent.cost, limits.cost),
        ("wall_clock_s", used_s, allowed_s),
    )
    for name, count, allowed in used:
        if allowed is not None and count >= allowed:
            return Reached(name, count, allowed)
    return None
