"""The verbs of links: one for a person and a contact, and the answer that comes by it."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from twelvefold import links
from twelvefold.app.names import split_contact
from twelvefold.contacts import Decision
from twelvefold.store import Append, EmbeddedStore
from twelvefold.thread import DEFAULT_TENANT, Json


class Linking(ABC):
    """What `App` does with links. A link proves little: see `App(settles=...)`."""

    @property
    @abstractmethod
    def clock(self) -> Callable[[], datetime]: ...

    @property
    @abstractmethod
    def store(self) -> EmbeddedStore: ...

    @abstractmethod
    async def answer(
        self,
        contact_id: str,
        decision: Decision,
        *,
        by: str,
        comment: str | None = None,
        value: Json = None,
        changes: Mapping[str, Json] | None = None,
        digest: str | None = None,
        channel: str = ...,
        assurance: str = ...,
        delivery: str | None = ...,
        tenant: str = ...,
    ) -> None: ...

    async def link(
        self,
        contact_id: str,
        person: str,
        *,
        ttl: timedelta = links.LINK_TTL,
        channel: str = links.CHANNEL,
        tenant: str = DEFAULT_TENANT,
    ) -> str:
        """A token for this person and open contact. The log keeps its hash only.

        Raises `UnknownContact`. Whether the person may decide is judged when the answer comes.
        """
        thread_id, contact = split_contact(contact_id)
        thread = self.store.load(thread_id, tenant=tenant)
        secret = os.urandom(links.SECRET_BYTES)
        now = self.clock()
        token, draft = links.issue(
            thread, contact, person, secret=secret, now=now, ttl=ttl, channel=channel
        )
        await self.store.commit(Append(thread_id, [draft], tenant=tenant))
        return token

    def opened_link(self, token: str, *, tenant: str = DEFAULT_TENANT) -> links.Link:
        """What the link is about. Looking decides nothing. Raises `NotAllowed`."""
        thread_id = links.thread_of(token)
        return links.opened(self.store.load(thread_id, tenant=tenant), token, now=self.clock())

    async def answer_by_link(
        self,
        token: str,
        decision: Decision,
        *,
        typed: str | None = None,
        comment: str | None = None,
        value: Json = None,
        changes: Mapping[str, Json] | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Decide as the person whose link it is, on what was shown there.

        `typed`: the code of the page, without which nothing above low risk is settled. Raises as
        `answer` does, and `NotAllowed` for a link that is none.
        """
        link = self.opened_link(token, tenant=tenant)
        await self.answer(
            f"{links.thread_of(token)}.{link.contact}",
            decision,
            by=link.person,
            comment=comment,
            value=value,
            changes=changes,
            digest=link.digest,
            channel=links.CHANNEL,
            assurance=link.assurance(typed),
            tenant=tenant,
        )
