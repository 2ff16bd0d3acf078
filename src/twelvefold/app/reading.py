"""Reading what a store holds, and what becomes of it: threads, open contacts, attachments."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from twelvefold.attachments import names
from twelvefold.engine.embedded import POLL_S
from twelvefold.exceptions import UnknownAttachment
from twelvefold.store import ContactRow, EmbeddedStore, ThreadRow
from twelvefold.summary import Status
from twelvefold.thread import DEFAULT_TENANT, Event, Thread


class Reading(ABC):
    """What `App` shows of its store."""

    @property
    @abstractmethod
    def store(self) -> EmbeddedStore: ...

    def thread(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> Thread:
        """The log. Raises `UnknownThread`."""
        return self.store.load(thread_id, tenant=tenant)

    def threads(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        status: Status | None = None,
        agent: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[ThreadRow]:
        """The newest threads first."""
        return self.store.threads(
            tenant=tenant, status=status, agent=agent, limit=limit, before=before
        )

    def inbox(self, *, tenant: str = DEFAULT_TENANT) -> list[ContactRow]:
        """Open contacts: the nearest deadline first, then the oldest."""
        return self.store.contacts(tenant=tenant)

    def attachment(self, thread_id: str, sha256: str, *, tenant: str = DEFAULT_TENANT) -> bytes:
        """The bytes of an attachment that an event of the thread names.

        Raises `UnknownThread` and `UnknownAttachment`: knowing a hash opens no other thread.
        """
        if not names(self.thread(thread_id, tenant=tenant), sha256):
            raise UnknownAttachment(f"{thread_id} names no attachment {sha256!r}.")
        return self.store.kept(sha256, tenant=tenant)

    async def follow(
        self, thread_id: str, *, after: int = 0, tenant: str = DEFAULT_TENANT
    ) -> AsyncIterator[Event]:
        """Every event of the thread after `after`, as it is committed, without end."""
        thread = self.store.load(thread_id, tenant=tenant)
        while True:
            for event in thread.events[after:]:
                yield event
            after = thread.head
            await asyncio.sleep(POLL_S)
            thread = self.store.tail(thread)

    async def wait(
        self, thread_id: str, *, timeout_s: float | None = None, tenant: str = DEFAULT_TENANT
    ) -> Status:
        """Until the thread no longer runs; its status. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout_s):
            while True:
                status = self.store.thread_row(thread_id, tenant=tenant).status
                if status != "running":
                    return status
                await asyncio.sleep(POLL_S)
