"""The verb that ends a thread for good, with those it launched."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from twelvefold.app import verbs
from twelvefold.app.families import family_of
from twelvefold.exceptions import Conflict, UnknownThread
from twelvefold.store import EmbeddedStore
from twelvefold.thread import DEFAULT_TENANT

ENDED = frozenset({"finished", "cancelled", "erased"})


class Ending(ABC):
    """What `App` does with threads that shall not go on."""

    @property
    @abstractmethod
    def store(self) -> EmbeddedStore: ...

    @abstractmethod
    async def _change(
        self, thread_id: str, tenant: str, verb: Callable[..., verbs.Change]
    ) -> None: ...

    async def cancel(
        self, thread_id: str, *, by: str = "api", reason: str = "", tenant: str = DEFAULT_TENANT
    ) -> None:
        """End the thread and those it launched, for good. Raises `Conflict`.

        Each is ended in a commit of its own. Where a process died in between, the next call ends
        the rest.
        """
        cancel = partial(verbs.cancel, by=by, reason=reason)
        try:
            await self._change(thread_id, tenant, cancel)
        except Conflict:
            if not await self._cancel_rest(thread_id, tenant, cancel):
                raise
            return
        for child in verbs.children(self.store.load(thread_id, tenant=tenant)):
            # Somebody else has just cancelled it; a copied log names children that are not here.
            with suppress(Conflict, UnknownThread):
                await self.cancel(child, by=by, reason=reason, tenant=tenant)

    async def _cancel_rest(
        self, thread_id: str, tenant: str, cancel: Callable[..., verbs.Change]
    ) -> bool:
        """Whether anybody below an ended thread went on."""
        below = [one.id for one in family_of(self.store, thread_id, tenant=tenant)][:-1]
        went_on = [
            id for id in below if self.store.thread_row(id, tenant=tenant).status not in ENDED
        ]
        for id in went_on:
            with suppress(Conflict):
                await self._change(id, tenant, cancel)
        return bool(went_on)
