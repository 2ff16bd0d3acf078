"""The time of the database, for deadlines that all processes judge alike.

It is asked now and then; in between, this machine's monotonic clock counts on, which no correction
of the wall clock moves.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

ASK_AGAIN_S = 60.0


class StoreClock:
    """Called, it gives the time in UTC. It never goes back in one process."""

    def __init__(self, ask: Callable[[str, Any], list[Any]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked: tuple[datetime, float] | None = None
        self._newest = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        with self._lock:
            if self._asked is None or time.monotonic() - self._asked[1] > ASK_AGAIN_S:
                ((now,),) = self._ask("now", ())
                self._asked = now.astimezone(UTC), time.monotonic()
            then, at = self._asked
            self._newest = max(self._newest, then + timedelta(seconds=time.monotonic() - at))
            return self._newest
