"""Wakes and timers as rows of the same database, and who else is told in the same transaction."""

from collections.abc import Callable, Sequence
from typing import Any

from twelvefold.store import Ref, Timer
from twelvefold.stores.postgres.queries import Named
from twelvefold.thread import to_iso

Hears = Callable[[Any, Sequence[Ref]], None]
"""Another engine: called with the connection that holds the open transaction, and the threads that
it wakes."""


class RowWakes:
    """The `Wakes` of this store; `tx` is the connection that holds the open transaction.

    Other processes hear of a commit from `author`: who needs not listen to it. `also` hears of each
    wake that was written.
    """

    def __init__(self, author: str, also: Sequence[Hears] = ()) -> None:
        self.author, self._also = author, also

    @property
    def tells_nobody(self) -> bool:
        """Whether the rows are all there is to write."""
        return not self._also

    def wake(self, tx: Any, ref: Ref) -> None:
        Named(tx).write("wake", (*ref, self.author))
        self.tell(tx, [ref])

    def tell(self, tx: Any, refs: Sequence[Ref]) -> None:
        """Tell others of wakes whose rows are written."""
        for hears in self._also:
            hears(tx, refs)

    def wake_at(self, tx: Any, ref: Ref, timer: Timer) -> None:
        Named(tx).write("set_timer", (*ref, timer.key, to_iso(timer.due), self.author))

    def cancel_wake(self, tx: Any, ref: Ref, key: str) -> None:
        Named(tx).write("cancel_timer", (*ref, key))

    def served(self, tx: Any, ref: Ref, version: int) -> None:
        Named(tx).write("end_wake", (*ref, version))
