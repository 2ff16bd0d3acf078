"""Wakes and timers as rows of the same database, and who else is told in the same transaction."""

from collections.abc import Sequence
from typing import Any

from twelvefold.store import Ref, Timer, Wakes
from twelvefold.stores.postgres.queries import Named
from twelvefold.thread import to_iso


class RowWakes:
    """The `Wakes` of this store; `tx` is the connection that holds the open transaction.

    Other processes hear of a commit from `author`: who needs not listen to it. `also` hears of each
    row that was written.
    """

    def __init__(self, author: str, also: Sequence[Wakes] = ()) -> None:
        self._author, self._also = author, also

    @property
    def tells_nobody(self) -> bool:
        """Whether the rows are all there is to write."""
        return not self._also

    def wake(self, tx: Any, ref: Ref) -> None:
        Named(tx).write("wake", (*ref, self._author))
        for other in self._also:
            other.wake(tx, ref)

    def wake_at(self, tx: Any, ref: Ref, timer: Timer) -> None:
        Named(tx).write("set_timer", (*ref, timer.key, to_iso(timer.due), self._author))
        for other in self._also:
            other.wake_at(tx, ref, timer)

    def cancel_wake(self, tx: Any, ref: Ref, key: str) -> None:
        Named(tx).write("cancel_timer", (*ref, key))
        for other in self._also:
            other.cancel_wake(tx, ref, key)

    def served(self, tx: Any, ref: Ref, version: int) -> None:
        Named(tx).write("end_wake", (*ref, version))
        for other in self._also:
            other.served(tx, ref, version)
