"""Which events of a log stand in the context: all since the newest summary, and that one first."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from twelvefold.context.menu import compaction, newest_compaction
from twelvefold.thread import Event, Thread

T = TypeVar("T")


def each(thread: Thread | Sequence[Event], show: Callable[[Event], T]) -> list[T]:
    """`show` of each event, in the order of the context.

    Of a thread, what the newest `context_compacted` sums up is left out, and `show` is called once
    per event and loaded log. Events that you picked yourself are all shown.
    """
    if not isinstance(thread, Thread):
        return list(map(show, thread))
    shown = thread.each(show)
    newest = thread.running(newest_compaction)
    if newest is None:
        return shown
    events = thread.events[newest.data["upto"] :]
    return [shown[newest.seq - 1], *(shown[e.seq - 1] for e in events if not compaction(e))]
