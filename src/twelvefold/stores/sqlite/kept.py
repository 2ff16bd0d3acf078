"""The threads that a connection wrote last: what it need not read again."""

from collections.abc import Sequence

from twelvefold.store import Ref
from twelvefold.stores.sqlite.queries import Named
from twelvefold.tables.appends import Pending, Plan

KEPT_MAX = 256
"""Threads whose state is kept between transactions."""


class Kept:
    """The threads that this connection wrote last, so that it need not read them again.

    They hold until another connection commits. Planning changes a thread, so it takes it out; only
    what was committed comes back.
    """

    def __init__(self) -> None:
        self._version: int | None = None
        self._threads: dict[Ref, Pending] = {}

    def check(self, db: Named) -> None:
        """Called at the beginning of each transaction, when nobody else can commit any more."""
        ((version,),) = db.rows("data_version")
        if version != self._version:
            self._threads.clear()
        self._version = version

    def taken(self, ref: Ref) -> Pending | None:
        return self._threads.pop(ref, None)

    def put(self, committed: Sequence[Plan]) -> None:
        last = {ref: pending for plan in committed for ref, pending in plan.threads.items()}
        for pending in last.values():
            pending.written()
        self._threads.update(last)  # at once: an interrupt must not leave what is older
        while len(self._threads) > KEPT_MAX:
            del self._threads[next(iter(self._threads))]

    def clear(self) -> None:
        self._threads.clear()
