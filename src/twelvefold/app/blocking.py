"""The verbs for callers without an event loop, alone or inside a transaction of the caller."""

from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import Any, ParamSpec, TypeVar

from twelvefold.app.app import App
from twelvefold.contacts import Decision
from twelvefold.store import Append, Store, transactional
from twelvefold.thread import DEFAULT_TENANT, Event, Json

P = ParamSpec("P")
R = TypeVar("R")


class SyncApp:
    """An `App` whose verbs return when they are durable, from any thread without an event loop.

    With `tx=` (a `sqlite3.Connection`, an SQLAlchemy `Session` or `Connection`, on the file of the
    log) a verb becomes part of the caller's own transaction: it is durable, and the engine sees it,
    when the caller commits, and a rollback leaves nothing of it. A verb that raises leaves the
    transaction usable. Raises `ConfigurationError` for another database and `StoreUnavailable` when
    the write lock does not come; then roll back and do it again.

    Reading (`thread`, `state`, `threads`, `inbox`) is synchronous in `App` itself. To advance
    threads from synchronous code: `asyncio.run(app.run(until_idle=True))`.
    """

    def __init__(self, app: App) -> None:
        self._store = app.store
        self.app = _over(app, app.store)
        self.pause = _blocking(self.app.pause)
        self.resume = _blocking(self.app.resume)
        self.retry = _blocking(self.app.retry)
        self.cancel = _blocking(self.app.cancel)
        self.fork = _blocking(self.app.fork)
        self.import_thread = _blocking(self.app.import_thread)

    def launch(
        self,
        agent: str,
        text: str,
        *,
        thread_id: str | None = None,
        channel: str | None = None,
        sender: str | None = None,
        tenant: str = DEFAULT_TENANT,
        tx: Any = None,
    ) -> str:
        """As `App.launch`."""
        with self._in(tx) as app:
            return _blocking(app.launch)(
                agent, text, thread_id=thread_id, channel=channel, sender=sender, tenant=tenant
            )

    def send(
        self,
        thread_id: str,
        text: str,
        *,
        key: str | None = None,
        channel: str | None = None,
        sender: str | None = None,
        tenant: str = DEFAULT_TENANT,
        tx: Any = None,
    ) -> None:
        """As `App.send`."""
        with self._in(tx) as app:
            _blocking(app.send)(
                thread_id, text, key=key, channel=channel, sender=sender, tenant=tenant
            )

    def signal(
        self,
        thread_id: str,
        name: str,
        data: Json = None,
        *,
        key: str | None = None,
        tenant: str = DEFAULT_TENANT,
        tx: Any = None,
    ) -> None:
        """As `App.signal`."""
        with self._in(tx) as app:
            _blocking(app.signal)(thread_id, name, data, key=key, tenant=tenant)

    def answer(
        self,
        contact_id: str,
        decision: Decision,
        *,
        by: str,
        comment: str | None = None,
        value: Json = None,
        changes: Mapping[str, Json] | None = None,
        digest: str | None = None,
        channel: str = "api",
        assurance: str = "local",
        tenant: str = DEFAULT_TENANT,
        tx: Any = None,
    ) -> None:
        """As `App.answer`. With `tx`, the record of a refused answer is the caller's to keep: it is
        lost with a rollback."""
        with self._in(tx) as app:
            _blocking(app.answer)(
                contact_id,
                decision,
                by=by,
                comment=comment,
                value=value,
                changes=changes,
                digest=digest,
                channel=channel,
                assurance=assurance,
                tenant=tenant,
            )

    @contextmanager
    def _in(self, tx: Any) -> Generator[App]:
        """The application on the store itself, or inside the caller's transaction."""
        if tx is None:
            yield self.app
        else:
            with transactional(self._store).within(tx) as inside:
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


def _blocking(verb: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """Run a verb whose only await is `_CommitNow.commit`: it ends at the first step."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            verb(*args, **kwargs).send(None)
        except StopIteration as ended:
            return ended.value
        raise RuntimeError("a verb waited for something other than its commit")

    return run
