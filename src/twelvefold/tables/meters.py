"""The table of meters: the same statements in every SQL database."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from twelvefold.meters import WAIT_MAX, Rate
from twelvefold.tables.queries import parse_queries

METER_STATEMENTS: Mapping[str, str] = parse_queries(
    files("twelvefold.tables").joinpath("meters.sql").read_text(encoding="utf-8")
)
"""By name, with `?1` for the first parameter."""


class MeterTable(ABC):
    """`Meters` over statements by name."""

    @abstractmethod
    def _rows(self, name: str, parameters: Any = ()) -> list[Any]: ...

    @abstractmethod
    def _returned(self, name: str, parameters: Any) -> list[Any]: ...

    def take_turn(self, name: str, rate: Rate, now: datetime) -> float | None:
        at = now.timestamp()
        latest = at + rate.tolerance_s + WAIT_MAX.total_seconds()
        rows = self._returned("take_turn", (f"rate|{name}", at, rate.step_s, latest))
        if not rows:
            return None
        return max(0.0, rows[0][0] - rate.step_s - rate.tolerance_s - at)

    def spend(self, name: str, amount: float, *, until: datetime, now: datetime) -> None:
        [(level,)] = self._returned("spend", (name, amount, until.timestamp()))
        if level == amount:  # another time has begun
            self._returned("forget_meters", (now.timestamp(),))

    def spent(self, names: Sequence[str]) -> list[float]:
        counts = [self._rows("spent", (name,)) for name in names]
        return [rows[0][0] if rows else 0.0 for rows in counts]
