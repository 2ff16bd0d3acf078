"""The verbs for callers without an event loop, alone or inside a transaction of the caller."""

from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from copy import copy
from typing import Any, ParamSpec, TypeVar

from twelvefold.app.app import App
from twelvefold.store import Append, Store, transactional
from twelvefold.thread import Event

P = ParamSpec("P")
R = TypeVar("R")


class SyncApp:
    """An `App` whose verbs return when they are durable, from any thread without an event loop.

    Reading (`thread`, `state`, `threads`, `inbox`) is synchronous in `App` itself. To advance
    threads from synchronous code: `asyncio.run(app.run(until_idle=True))`.
    """

    def __init__(self, app: App, *, tx: Any = None) -> None:
        self._of, self._tx = app, tx
        self.app = _over(app, app.store)
        self.launch = self._verb(lambda app: app.launch)
        self.send = self._verb(lambda app: app.send)
        self.signal = self._verb(lambda app: app.signal)
        self.answer = self._verb(lambda app: app.answer)
        self.reassign = self._verb(lambda app: app.reassign)
        self.escalate = self._verb(lambda app: app.escalate)
        self.remind = self._verb(lambda app: app.remind)
        self.link = self._verb(lambda app: app.link)
        self.answer_by_link = self._verb(lambda app: app.answer_by_link)
        self.pause = self._verb(lambda app: app.pause)
        self.resume = self._verb(lambda app: app.resume)
        self.retry = self._verb(lambda app: app.retry)
        self.cancel = self._verb(lambda app: app.cancel)
        self.fork = self._verb(lambda app: app.fork)
        self.import_thread = self._verb(lambda app: app.import_thread)
        self.erase = self._verb(lambda app: app.erase)

    def within(self, tx: Any) -> "SyncApp":
        """The same verbs inside the caller's own transaction.

        `tx` is a `sqlite3.Connection` on the file of the log, a `psycopg.Connection` to its
        database, or an SQLAlchemy `Session` or `Connection` of either. What a verb does is
        durable, and the engine sees it, when the caller commits; a rollback leaves nothing of it,
        not even the record of an answer that was refused. A verb that raises leaves the
        transaction usable. Verbs raise `ConfigurationError` for another database, and
        `StoreUnavailable` when a lock does not come: then roll back and do it again.
        """
        return SyncApp(self._of, tx=tx)

    def _verb(self, pick: Callable[[App], Callable[P, Coroutine[Any, Any, R]]]) -> Callable[P, R]:
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._in() as app:
                return _ended(pick(app)(*args, **kwargs))

        return run

    @contextmanager
    def _in(self) -> Generator[App]:
        """The application on the store itself, or inside the caller's transaction."""
        if self._tx is None:
            yield self.app
        else:
            with transactional(self._of.store).within(self._tx) as inside:
                yield _over(self.app, inside)


class _CommitNow:
    """A store whose `commit` never suspends."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        return self._store.commit_now(*appends)


def _over(app: App, store: Store) -> App:
    """The same application on a store that never makes its caller wait."""
    never_waits: Any = _CommitNow(store)
    same = copy(app)
    same.use_store(never_waits)
    return same


def _ended(verb: Coroutine[Any, Any, R]) -> R:
    """Run a verb whose only await is `_CommitNow.commit`: it ends at the first step."""
    try:
        verb.send(None)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("a verb waited for something other than its commit")
