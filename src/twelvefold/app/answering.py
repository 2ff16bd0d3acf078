"""The verbs of people who are asked: answer, reassign, escalate, remind."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from twelvefold.agent import Agent
from twelvefold.app import verbs
from twelvefold.app.names import split_contact
from twelvefold.contacts import Answer, Decision, Escalation, Reassign
from twelvefold.directory import Directory, People
from twelvefold.policy import Settles
from twelvefold.store import EmbeddedStore
from twelvefold.thread import DEFAULT_TENANT, Json


class Answering(ABC):
    """What `App` does for those whom a thread asks."""

    settles: Settles
    people: People

    @property
    @abstractmethod
    def store(self) -> EmbeddedStore: ...

    @property
    @abstractmethod
    def clock(self) -> Callable[[], datetime]: ...

    @abstractmethod
    def agent(self, name: str) -> Agent[Any, Any]: ...

    @abstractmethod
    def _redacted(self, data: Json) -> Json: ...

    @abstractmethod
    async def _change(
        self, thread_id: str, tenant: str, verb: Callable[..., verbs.Change]
    ) -> None: ...

    def directory(self, *, tenant: str = DEFAULT_TENANT) -> Directory:
        """Who is who now. Raises `ConfigurationError` when that cannot be read."""
        return self.people(tenant)

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
        channel: str = "api",
        assurance: str = "local",
        delivery: str | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Decide one contact, `<thread>.s4.1`. Returns when the decision is durable.

        Raises `Conflict` (closed, late, changed), `NotAllowed`, `InvalidAnswer`, `UnknownContact`;
        then nothing was done.
        """
        thread_id, contact = split_contact(contact_id)
        given = Answer(
            contact=contact,
            decision=decision,
            by=by,
            comment=self._redacted(comment),
            value=self._redacted(value),
            changes=changes,
            digest=digest,
            channel=channel,
            assurance=assurance,
            delivery=delivery,
        )
        judged = partial(verbs.answer, given=given, **self._judges(thread_id, tenant))
        await self._change(thread_id, tenant, judged)

    async def reassign(
        self,
        contact_id: str,
        *,
        to: str,
        by: str,
        instead_of: str = "",
        comment: str | None = None,
        channel: str = "api",
        assurance: str = "local",
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """`to` takes the place of `instead_of`: of `by` himself, or of anybody if `by` may decide
        for the agent's owner. Raises as `answer` does."""
        thread_id, contact = split_contact(contact_id)
        wish = Reassign(
            contact=contact,
            to=to,
            by=by,
            instead_of=instead_of,
            comment=self._redacted(comment),
            channel=channel,
            assurance=assurance,
        )
        judged = partial(verbs.reassign, wish=wish, **self._judges(thread_id, tenant))
        await self._change(thread_id, tenant, judged)

    async def escalate(
        self,
        contact_id: str,
        *,
        by: str,
        comment: str | None = None,
        channel: str = "api",
        assurance: str = "local",
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Do now what `on_expiry=escalate(...)` does at the deadline: ask the others instead, once.

        For whoever decides it alone, and who may decide for the agent's owner. Raises as `answer`
        does."""
        thread_id, contact = split_contact(contact_id)
        wish = Escalation(
            contact=contact,
            by=by,
            comment=self._redacted(comment),
            channel=channel,
            assurance=assurance,
        )
        judged = partial(verbs.escalate, wish=wish, **self._judges(thread_id, tenant))
        await self._change(thread_id, tenant, judged)

    async def remind(
        self, contact_id: str, *, by: str = "api", tenant: str = DEFAULT_TENANT
    ) -> None:
        """Ask those who are asked once more, now. Raises `Conflict` and `UnknownContact`."""
        thread_id, contact = split_contact(contact_id)
        await self._change(thread_id, tenant, partial(verbs.remind, contact=contact, by=by))

    def _judges(self, thread_id: str, tenant: str) -> dict[str, Any]:
        """By what an answer is judged now."""
        agent = self.agent(self.store.thread_row(thread_id, tenant=tenant).agent)
        return {"agent": agent, "settles": self.settles, "directory": self.people(tenant)}
