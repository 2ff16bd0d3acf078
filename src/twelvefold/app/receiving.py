"""The verb of channels and triggers: what came in becomes events, once, and is acknowledged."""

import hmac
import logging
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, cast

from twelvefold.app.answering import Answering
from twelvefold.app.messages import has_come, went_as
from twelvefold.contacts import Decision
from twelvefold.exceptions import (
    ConfigurationError,
    Conflict,
    InvalidAnswer,
    NotAllowed,
    NotFound,
    UnknownSource,
    UnknownThread,
)
from twelvefold.inbound import (
    Coded,
    Decided,
    Ignored,
    Inbound,
    Receipt,
    Received,
    Receiver,
    Reply,
    Signalled,
    Written,
    thread_of,
)
from twelvefold.policy import Policy
from twelvefold.replying import Meant, meant
from twelvefold.store import ContactRow
from twelvefold.thread import DEFAULT_TENANT, Json, Thread

log = logging.getLogger("twelvefold")

_AS_ANSWER: Mapping[Decision, str] = {"approve": "yes", "deny": "no"}
CodeOf = Callable[[ContactRow, str], str]
ASKED_LOOKED_AT_MAX = 100
"""Open contacts of a person, among which that of a reply is looked for; newest first."""
REFUSALS = (Conflict, NotAllowed, InvalidAnswer, NotFound)


class Receiving(Answering):
    """What `App` does with what comes in."""

    receivers: Mapping[str, Receiver]

    @abstractmethod
    async def launch(
        self,
        agent: str,
        text: str,
        *,
        thread_id: str | None = None,
        channel: str | None = None,
        sender: str | None = None,
        about: Mapping[str, Json] | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> str: ...

    @abstractmethod
    async def send(
        self,
        thread_id: str,
        text: str,
        *,
        key: str | None = None,
        channel: str | None = None,
        sender: str | None = None,
        about: Mapping[str, Json] | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> None: ...

    @abstractmethod
    async def signal(
        self,
        thread_id: str,
        name: str,
        data: Json = None,
        *,
        key: str | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> None: ...

    async def receive(self, source: str, inbound: Inbound) -> tuple[Receipt, Reply]:
        """What came in by a channel or trigger, once it is durable, and what to answer with.

        Raises `UnknownSource`, `BadSignature` and `Malformed`; a delivery that comes twice changes
        nothing. What a person may not do is no exception: the receipt says so, and the log does.
        """
        receiver = self.receivers.get(source)
        if receiver is None:
            known = ", ".join(self.receivers) or "none"
            raise UnknownSource(f"Nothing is received by {source!r} here; there are: {known}.")
        received = receiver.read(inbound, now=self.clock())
        receipt = await self._received(receiver, received)
        try:
            return receipt, await receiver.reply(received, receipt)
        except Exception:  # it is durable: the sender must not send it again
            log.exception("%s: what was received is kept, and could not be acknowledged", source)
            return receipt, Reply()

    async def _received(self, receiver: Receiver, received: Received) -> Receipt:
        match received:
            case Ignored():
                return Receipt("ignored", said=received.why)
            case Written():
                return await self._written(receiver, received)
            case Decided():
                return await self._decided(receiver, received)
            case Coded():
                return await self._coded(receiver, received)
            case _:
                return await self._signalled(receiver, received)

    async def _written(self, receiver: Receiver, written: Written) -> Receipt:
        tenant, written = receiver.tenant, self._decoded(receiver, written)
        thread_id = thread_of(receiver.name, written.conversation, tenant=tenant)
        if written.contact is not None:  # a reply names its thread, wherever it is written
            thread_id = written.contact.partition(".s")[0]
        try:
            thread = self.store.load(thread_id, tenant=tenant)
        except UnknownThread:
            if (named := self._replied_to(receiver, written)) is not None:
                return await self._written(receiver, named)
            return await self._begun(receiver, written, thread_id)
        if has_come(thread, written.key):
            return Receipt("ignored", thread_id, "this delivery has come before")
        said = self._meant(receiver, written, thread) if written.answers else None
        if said is not None:
            return await self._answered(receiver, written, thread_id, said)
        return await self._continued(receiver, written, thread_id)

    def _decoded(self, receiver: Receiver, written: Written) -> Written:
        if written.code is None:
            return written
        rows = self._rows_of(receiver, written.code, written.sender)
        if len(rows) != 1:
            return replace(written, code=None, answers=False)
        return replace(written, code=None, contact=f"{rows[0].ref.id}.{rows[0].id}")

    def _replied_to(self, receiver: Receiver, written: Written) -> Written | None:
        """The same with the open contact whose message it replies to, of those that ask who wrote;
        None without one."""
        if written.contact is not None or not written.replies_to:
            return None
        newest = sorted(self._asking(receiver, written.sender), key=lambda row: row.asked_at)
        for row in reversed(newest[-ASKED_LOOKED_AT_MAX:]):
            thread = self.store.load(row.ref.id, tenant=row.ref.tenant)
            if went_as(thread, row.id, written.replies_to):
                return replace(written, contact=f"{row.ref.id}.{row.id}")
        return None

    def _meant(self, receiver: Receiver, written: Written, thread: Thread) -> Meant | None:
        named = written.contact
        directory = self.people(receiver.tenant)
        return meant(
            self.agent(thread.agent).state(thread),
            written.text,
            sender=directory.at(receiver.name, written.sender),
            contact=None if named is None else named[len(thread.id) + 1 :],
            directory=directory,
        )

    async def _begun(self, receiver: Receiver, written: Written, thread_id: str) -> Receipt:
        if not written.begins or written.contact is not None:
            return Receipt("ignored", said="nothing here has begun this conversation")
        if not receiver.agent:
            return Receipt("ignored", said=f"{receiver.name} begins no threads: it names no agent")
        told = self._told(receiver, written)
        try:
            await self.launch(receiver.agent, written.text, thread_id=thread_id, **told)
        except Conflict:  # another delivery of this conversation was faster
            return await self._continued(receiver, written, thread_id)
        return Receipt("begun", thread_id)

    async def _continued(self, receiver: Receiver, written: Written, thread_id: str) -> Receipt:
        told = self._told(receiver, written)
        try:
            await self.send(thread_id, written.text, key=written.key, **told)
        except Conflict as ended:
            return Receipt("refused", thread_id, str(ended))
        return Receipt("continued", thread_id)

    def _told(self, receiver: Receiver, written: Written) -> dict[str, Any]:
        about = {
            "conversation": written.conversation,
            "delivery": written.key,
            **written.about,
        }
        return {
            "channel": receiver.name,
            "sender": self._person(receiver, written.sender),
            "about": about,
            "tenant": receiver.tenant,
        }

    async def _answered(
        self, receiver: Receiver, written: Written, thread_id: str, said: Meant
    ) -> Receipt:
        given = {"comment": said.comment, "value": said.value}
        given |= {"assurance": written.assurance, "delivery": written.key}
        return await self._tried(
            receiver, f"{thread_id}.{said.contact}", said.decision, written.sender, given
        )

    async def _decided(self, receiver: Receiver, decided: Decided) -> Receipt:
        given = {
            "comment": decided.comment,
            "value": decided.value,
            "changes": decided.changes,
            "digest": decided.digest,
            "assurance": decided.assurance,
        }
        decision = cast(Decision, decided.decision)
        return await self._tried(receiver, decided.contact, decision, decided.sender, given)

    async def _coded(self, receiver: Receiver, coded: Coded) -> Receipt:
        """The open contact of this code that asks its sender: of two, neither."""
        rows = self._rows_of(receiver, coded.code, coded.sender)
        if len(rows) != 1:
            return Receipt("refused", said=f"No open question has the code {coded.code}.")
        decision, value = cast(Decision, coded.decision), coded.value
        if rows[0].data["kind"] == "question" and decision in _AS_ANSWER:
            decision, value = "answer", _AS_ANSWER[decision]
        given = {"comment": coded.comment, "value": value, "delivery": coded.key}
        given |= {"assurance": coded.assurance}
        contact = f"{rows[0].ref.id}.{rows[0].id}"
        return await self._tried(receiver, contact, decision, coded.sender, given)

    def _rows_of(self, receiver: Receiver, code: str, sender: str) -> list[ContactRow]:
        code_of: CodeOf = getattr(receiver, "code_of")  # noqa: B009 # only who reads codes has it
        return [
            row
            for row in self._asking(receiver, sender)
            if hmac.compare_digest(code_of(row, sender).encode(), code.encode())
        ]

    def _asking(self, receiver: Receiver, sender: str) -> list[ContactRow]:
        """The open contacts that ask this person."""
        directory = self.people(receiver.tenant)
        person = directory.at(receiver.name, sender)
        return [
            row
            for row in self.store.contacts(tenant=receiver.tenant)
            if person in Policy.from_data(row.data["to"]).everybody(directory)
        ]

    async def _tried(
        self,
        receiver: Receiver,
        contact: str,
        decision: Decision,
        sender: str,
        given: Mapping[str, Any],
    ) -> Receipt:
        thread_id = contact.partition(".s")[0]
        by = self._person(receiver, sender)
        who = {"by": by, "channel": receiver.name, "tenant": receiver.tenant}
        try:
            await self.answer(contact, decision, **who, **given)
        except REFUSALS as refusal:
            return Receipt("refused", thread_id, str(refusal))
        return Receipt("answered", thread_id)

    def _person(self, receiver: Receiver, sender: str) -> str:
        return self.people(receiver.tenant).at(receiver.name, sender)

    async def _signalled(self, receiver: Receiver, signalled: Signalled) -> Receipt:
        try:
            await self.signal(
                signalled.thread_id,
                signalled.signal,
                signalled.data,
                key=signalled.key,
                tenant=receiver.tenant,
            )
        except (NotFound, Conflict) as refusal:
            return Receipt("refused", signalled.thread_id, str(refusal))
        return Receipt("signalled", signalled.thread_id)


def receivers_of(channels: Collection[Any], agents: Collection[str]) -> Mapping[str, Receiver]:
    """Those that read what comes in, by name. Raises `ConfigurationError`."""
    found = {one.name: one for one in channels if hasattr(one, "read")}
    for name, receiver in found.items():
        if receiver.agent and receiver.agent not in agents:
            known = ", ".join(agents) or "none"
            raise ConfigurationError(
                f"{name} begins threads of {receiver.agent!r}, and there are: {known}."
            )
    return found
