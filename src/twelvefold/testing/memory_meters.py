"""The meters of the in-memory store."""

import threading
from collections.abc import Sequence
from datetime import datetime

from twelvefold.meters import WAIT_MAX, Rate


class MemoryMeters:
    """`Meters` without a file."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: dict[str, float] = {}
        self._spent: dict[str, tuple[float, datetime]] = {}
        self._meters_lock = threading.Lock()

    def take_turn(self, name: str, rate: Rate, now: datetime) -> float | None:
        at = now.timestamp()
        with self._meters_lock:
            begins = max(self._turns.get(name, at), at)
            wait_s = begins - rate.tolerance_s - at
            if wait_s > WAIT_MAX.total_seconds():
                return None
            self._turns[name] = begins + rate.step_s
        return max(0.0, wait_s)

    def spend(self, name: str, amount: float, *, until: datetime, now: datetime) -> None:
        with self._meters_lock:
            counted = {key: one for key, one in self._spent.items() if one[1] >= now}
            counted[name] = (counted.get(name, (0.0, until))[0] + amount, until)
            self._spent = counted

    def spent(self, names: Sequence[str]) -> list[float]:
        return [self._spent[name][0] if name in self._spent else 0.0 for name in names]
