"""Which events of a log stand in the context: all since the newest summary, and that one first."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from twelvefold.context.menu import compaction, newest_compaction
from twelvefold.thread import Event, Thread

T = TypeVar("T")
Show = Callable[[Event], str]


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
    events = thread.events[_upto(newest) :]
    return [shown[newest.seq - 1], *(shown[e.seq - 1] for e in events if not compaction(e))]


def joined(thread: Thread | Sequence[Event], show: Show) -> str:
    """`each` as one text. Of a thread, what was joined before is gone on from: a turn costs its new
    events."""
    if not isinstance(thread, Thread):
        return "".join(map(show, thread))
    newest, texts = thread.running(newest_compaction), thread.once(_texts)
    # Taken out while it grows: held by nobody else, a text is made longer without being copied.
    summary, head, text = texts.pop(show, _NOTHING)
    if summary is newest and head <= thread.head:
        text += "".join(thread.each(show, after=max(head, _upto(newest))))
    else:
        text = "".join(each(thread, show))
    texts[show] = newest, thread.head, text
    return text


def _upto(summary: Event | None) -> int:
    return 0 if summary is None else max(summary.data["upto"], 0)


_Joined = tuple[Event | None, int, str]
"""The summary that a text begins with, how far it goes, and the text."""
_NOTHING: _Joined = (None, 0, "")


def _texts() -> dict[Show, _Joined]:
    return {}
