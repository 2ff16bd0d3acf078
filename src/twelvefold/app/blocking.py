"""The verbs for callers without an event loop."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from twelvefold.app.app import App
from twelvefold.store import Append, EmbeddedStore
from twelvefold.thread import Event

P = ParamSpec("P")
R = TypeVar("R")


class SyncApp:
    """An `App` whose verbs return when they are durable, from any thread without an event loop.

    Reading (`thread`, `state`, `threads`, `inbox`) is synchronous in `App` itself. To advance
    threads
    from synchronous code: `asyncio.run(app.run(until_idle=True))`.
    """

    def __init__(self, app: App) -> None:
        self.app = App(
            app.agents.values(),
            store=_CommitNow.over(app.store),
            models=app.models,
            settles=app.settles.levels,
            clock=app.clock,
        )
        self.launch = _blocking(self.app.launch)
        self.send = _blocking(self.app.send)
        self.signal = _blocking(self.app.signal)
        self.pause = _blocking(self.app.pause)
        self.resume = _blocking(self.app.resume)
        self.retry = _blocking(self.app.retry)
        self.cancel = _blocking(self.app.cancel)
        self.fork = _blocking(self.app.fork)
        self.import_thread = _blocking(self.app.import_thread)
        self.answer = _blocking(self.app.answer)


class _CommitNow:
    """A store whose `commit` never suspends."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store

    @classmethod
    def over(cls, store: EmbeddedStore) -> Any:
        return cls(store)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        return self._store.commit_now(*appends)


def _blocking(verb: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """Run a verb whose only await is `_CommitNow.commit`: it ends at the first step."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            verb(*args, **kwargs).send(None)
        except StopIteration as ended:
            return ended.value
        raise RuntimeError("a verb waited for something other than its commit")

    return run
