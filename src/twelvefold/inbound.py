"""What comes in from outside, and what a channel reads in it. Records only.

A receiver gets raw bytes. It checks who signed them before it reads them, and says what they are:
something written, a decision, a signal, or nothing. It calls no verb and knows no store.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from twelvefold.thread import DEFAULT_TENANT, Json

ID_CHARS = 20
_BRACKETS = re.compile(r"<([^<>]*)>\s*$")

Outcome = Literal["begun", "continued", "answered", "signalled", "refused", "ignored"]


@dataclass(frozen=True, slots=True)
class Inbound:
    """A request or a mail as it came. Header names are in lower case; `url` is what the sender
    called, where that is known."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Somebody wrote. It begins the thread of its conversation, continues it, or answers what the
    thread asks there.

    - `key`: the provider's id of this delivery: the same twice is one message.
    - `sender`: an address on this channel, and `assurance`, how that was proven.
    - `conversation`: where it was written, and where what is said in return goes.
    - `contact`: the full id of the contact whose message this replies to.
    - `code`: in place of `contact`, what `code_of` of the receiver makes of it and of the sender,
      where a message holds no more. Where no open contact has it, this answers nothing.
    - `replies_to`: of what `send` returned, the part that names the message this replies to, where
      neither conversation nor contact say more.
    - `begins`: whether it may begin a thread; `answers`: whether it may answer what is asked there.
    - `about`: more that the message holds.
    """

    key: str
    text: str
    sender: str
    conversation: str
    contact: str | None = None
    code: str | None = None
    replies_to: Mapping[str, Json] = field(default_factory=dict[str, Json])
    assurance: str = "written"
    begins: bool = True
    answers: bool = True
    about: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Somebody decided a contact, by a button or a form. `contact` is its full id; `then` is for
    the channel's own `reply`, the rest is as `contacts.Answer` has it."""

    contact: str
    decision: str
    sender: str
    assurance: str
    comment: str | None = None
    value: Json = None
    changes: Mapping[str, Json] | None = None
    digest: str | None = None
    then: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Signalled:
    """What a thread may wait for has happened."""

    key: str
    thread_id: str
    signal: str
    data: Json = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for a thread: a test, a bounce, what this installation itself has sent. `then` is
    for the channel's own `reply`."""

    why: str
    then: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """An answer that names its contact by a short code, where a message holds no more: the code
    that `code_of` of the receiver makes of it. The rest is as in `Decided`."""

    key: str
    code: str
    decision: str
    sender: str
    assurance: str
    comment: str | None = None
    value: Json = None


Received = Written | Decided | Coded | Signalled | Ignored


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of it, when it is durable. `said`: why it was refused or ignored."""

    outcome: Outcome
    thread_id: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender's request is answered with."""

    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


Receive = Callable[[str, Inbound], Awaitable[tuple[Receipt, Reply]]]
"""`App.receive`: for a channel that fetches what comes in."""


class Receiver(Protocol):
    """A way in. `agent`: whose threads begin here; `tenant`: whose they are."""

    @property
    def name(self) -> str: ...

    @property
    def agent(self) -> str: ...

    @property
    def tenant(self) -> str: ...

    def read(self, inbound: Inbound, /, *, now: datetime) -> Received:
        """Raises `BadSignature` before anything is parsed, and `Malformed` for what is signed and
        cannot be read."""
        ...

    async def reply(self, received: Received, receipt: Receipt, /) -> Reply:
        """Called when all is durable. What it raises is logged, and costs nothing."""
        ...


def thread_of(channel: str, conversation: str, *, tenant: str = DEFAULT_TENANT) -> str:
    """The id of the thread that belongs to a conversation: the same in every process."""
    named = hashlib.sha256(f"{tenant}\n{channel}\n{conversation}".encode()).hexdigest()
    return f"{channel}-{named[:ID_CHARS]}"


def is_listed(sender: str, senders: Collection[str] | None) -> bool:
    """Whether an address, perhaps written `Name <a@b>`, is on the list; `@b` lists a domain. None
    is everybody."""
    if senders is None:
        return True
    address, allowed = address_of(sender), {address_of(one) for one in senders}
    return address in allowed or f"@{address.rpartition('@')[2]}" in allowed


def address_of(text: str) -> str:
    """`Name <a@b>` or `a@b` as `a@b`, without regard to case. What stands before the brackets is
    anybody's choice, and names nobody."""
    found = _BRACKETS.search(text)
    return (found[1] if found else text).strip().casefold()
