"""What an observer is told of the work: spans, metrics. It sees, and changes nothing.

What an observer raises costs nobody anything but its own report.
"""

import logging
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from twelvefold.messages import Model, default_name
from twelvefold.plan import Act, CallModel
from twelvefold.store import Ref
from twelvefold.thread import Draft, Thread

T = TypeVar("T")

log = logging.getLogger("twelvefold")

NO_MODELS: Mapping[str, Model] = {}

Seen = Callable[[Draft], None]
"""Called with the fact that became of an act."""


class Observer(Protocol):
    """Told by the process that does the work, while it does it."""

    def advancing(self, thread: Thread) -> AbstractContextManager[None]:
        """Around one advance of a thread, from a wake to its rest; the thread as it is before."""
        ...

    def acting(self, action: Act, thread: Thread) -> AbstractContextManager[Seen]:
        """Around one call of a tool, or of a model, which is always named."""
        ...

    def committed(self, ref: Ref, drafts: Sequence[Draft]) -> None:
        """These are durable."""
        ...

    def outrun(self, ref: Ref) -> None:
        """A decision was thrown away, since something came first."""
        ...


class Observers:
    """Several as one. `models`: those of the application, of which the first is asked where none
    is named."""

    def __init__(
        self, observers: Iterable[Observer] = (), models: Mapping[str, Model] = NO_MODELS
    ) -> None:
        self.all = tuple(observers)
        self._unnamed = default_name(models)

    @contextmanager
    def advancing(self, thread: Thread) -> Generator[None]:
        with ExitStack() as stack:
            for one in self.all:
                stack.enter_context(_guarded(partial(one.advancing, thread)))
            yield

    @contextmanager
    def acting(self, action: Act, thread: Thread) -> Generator[Seen]:
        if isinstance(action, CallModel) and action.model is None:
            action = replace(action, model=self._unnamed)
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
