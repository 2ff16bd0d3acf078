"""What an observer is told of the work: spans, metrics. It sees, and changes nothing.

What an observer raises costs nobody anything but its own report.
"""

import logging
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Protocol, TypeVar

from twelvefold.plan import Act
from twelvefold.store import Ref
from twelvefold.thread import Draft, Thread

T = TypeVar("T")

log = logging.getLogger("twelvefold")

Seen = Callable[[Draft], None]
"""Called with the fact that became of an act."""


class Observer(Protocol):
    """Told by the process that does the work, while it does it."""

    def advancing(self, ref: Ref) -> AbstractContextManager[None]:
        """Around one advance of a thread, from a wake to its rest."""
        ...

    def acting(self, action: Act, thread: Thread) -> AbstractContextManager[Seen]:
        """Around one call of a model or a tool."""
        ...

    def committed(self, ref: Ref, drafts: Sequence[Draft]) -> None:
        """These are durable."""
        ...

    def outrun(self, ref: Ref) -> None:
        """A decision was thrown away, since something came first."""
        ...


class Observers:
    """Several as one."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self.all = tuple(observers)

    @contextmanager
    def advancing(self, ref: Ref) -> Generator[None]:
        with ExitStack() as stack:
            for one in self.all:
                stack.enter_context(_guarded(partial(one.advancing, ref)))
            yield

    @contextmanager
    def acting(self, action: Act, thread: Thread) -> Generator[Seen]:
        with ExitStack() as stack:
            ways = [_guarded(partial(one.acting, action, thread)) for one in self.all]
            seeing = [stack.enter_context(way) for way in ways]

            def seen(fact: Draft) -> None:
                for see in seeing:
                    if see is not None:
                        _told(partial(see, fact))

            yield seen

    def committed(self, ref: Ref, drafts: Sequence[Draft]) -> None:
        for one in self.all:
            _told(partial(one.committed, ref, drafts))

    def outrun(self, ref: Ref) -> None:
        for one in self.all:
            _told(partial(one.outrun, ref))


@contextmanager
def _guarded(make: Callable[[], AbstractContextManager[T]]) -> Generator[T | None]:
    try:
        way = make()
        entered = way.__enter__()
    except Exception:
        log.exception("an observer failed")
        yield None
        return
    try:
        yield entered
    except BaseException as error:
        _told(partial(way.__exit__, type(error), error, error.__traceback__))
        raise
    _told(partial(way.__exit__, None, None, None))


def _told(tell: Callable[[], object]) -> None:
    try:
        tell()
    except Exception:
        log.exception("an observer failed")
