"""What an engine is: who advances woken threads, and what can be said of its queue.

The log is the truth; an engine is only a wake-up signal. The other three calls of its contract are
`store.Wakes`, which the store makes inside its own transactions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from twelvefold.exceptions import UnknownThread
from twelvefold.schedules import Schedule
from twelvefold.store import EmbeddedStore, Ref

Holds = Literal["standby", "advancing"]


@dataclass(frozen=True, slots=True)
class Stats:
    """What waits for an engine, and how long already.

    `queue`: threads that are to be advanced and are not. `oldest_wait_s`: since the newest event of
    the one that waits longest. `under_way`: threads that are being advanced, where that is known.
    `lag_s`: how late the timer is that should have fired first. `workers`: processes that advance.
    """

    engine: str
    queue: int
    oldest_wait_s: float
    under_way: int | None
    workers: int
    lag_s: float


class Engine(Protocol):
    """`errors` maps a thread to why it could not go on when last tried here."""

    errors: dict[Ref, Exception]
    schedules: Sequence[Schedule]

    @property
    def under_way(self) -> int:
        """How many threads are being advanced here."""
        ...

    async def run(
        self,
        *,
        until_idle: bool = False,
        only: Callable[[Ref], bool] | None = None,
        wait_for_lock: bool = True,
        told: Callable[[Holds], None] | None = None,
    ) -> bool:
        """Advance what is woken, fire what is due, until cancelled or stopped."""
        ...

    def stop(self, *, grace_s: float | None = None) -> None:
        """Start nothing more; `run` returns when what is under way has ended or been handed on."""
        ...

    def stats(self) -> Stats: ...


def waiting_s(store: EmbeddedStore, ref: Ref, now: datetime) -> float:
    """Since when nobody advances this thread that was woken: its newest event was the reason."""
    try:
        events = store.load(ref.id, tenant=ref.tenant).events
    except UnknownThread:  # erased meanwhile
        return 0.0
    return max(0.0, (now - events[-1].at).total_seconds())


def lag_s(store: EmbeddedStore, now: datetime) -> float:
    due = store.next_due()
    return 0.0 if due is None else max(0.0, (now - due).total_seconds())
