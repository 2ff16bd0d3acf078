"""Wakes and timers as rows of the same database: how the embedded engine is told."""

from typing import Any

from twelvefold.store import Ref, Timer
from twelvefold.stores.postgres.queries import Named
from twelvefold.thread import to_iso


class RowWakes:
    """The default `Wakes`; `tx` is the connection that holds the open transaction.

    Other processes hear of a commit from `author`: who needs not listen to it.
    """

    def __init__(self, author: str) -> None:
        self._author = author

    def wake(self, tx: Any, ref: Ref) -> None:
        Named(tx).write("wake", (*ref, self._author))

    def wake_at(self, tx: Any, ref: Ref, timer: Timer) -> None:
        Named(tx).write("set_timer", (*ref, timer.key, to_iso(timer.due), self._author))

    def cancel_wake(self, tx: Any, ref: Ref, key: str) -> None:
        Named(tx).write("cancel_timer", (*ref, key))

    def served(self, tx: Any, ref: Ref, version: int) -> None:
        Named(tx).write("end_wake", (*ref, version))
