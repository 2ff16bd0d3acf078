"""Wakes and timers as rows of the same database: how the embedded engine is told."""

from typing import Any

from twelvefold.store import Ref, Timer
from twelvefold.stores.sqlite.queries import SQL
from twelvefold.thread import to_iso


class RowWakes:
    """The default `Wakes`; `tx` is the connection that holds the open transaction."""

    def wake(self, tx: Any, ref: Ref) -> None:
        tx.execute(SQL["wake"], ref)

    def wake_at(self, tx: Any, ref: Ref, timer: Timer) -> None:
        tx.execute(SQL["set_timer"], (*ref, timer.key, to_iso(timer.due)))

    def cancel_wake(self, tx: Any, ref: Ref, key: str) -> None:
        tx.execute(SQL["cancel_timer"], (*ref, key))

    def served(self, tx: Any, ref: Ref, version: int) -> None:
        tx.execute(SQL["end_wake"], (*ref, version))
