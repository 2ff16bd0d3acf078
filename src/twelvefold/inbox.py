"""What a store offers to whoever lists contacts: pages of them, and how many there are of what."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from twelvefold.exceptions import InvalidRequest
from twelvefold.thread import DEFAULT_TENANT, Json

NUMBER_MAX = 2**63
"""From here on a number is none of a database."""


class Ref(NamedTuple):
    """The full name of a thread."""

    tenant: str
    id: str


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One line of an inbox. `data` is that of `contact_requested`; `outcome` is None while it is
    open.

    `ended` is the data of `contact_closed`, in a list of closed contacts. `place` says where the
    row stands in its list, for the store alone.
    """

    ref: Ref
    agent: str
    id: str
    asked_at: datetime
    data: dict[str, Json]
    outcome: str | None = None
    closed_at: datetime | None = None
    ended: dict[str, Json] = field(default_factory=dict[str, Json])
    place: str = field(default="", compare=False)


class Backlog(NamedTuple):
    """So many open contacts of an agent ask the same people, at the same risk. `to` is the policy
    as canonical JSON."""

    agent: str
    risk: str
    to: str
    open: int


class Inbox(Protocol):
    """Everything may be called from any thread."""

    def contacts(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        open_only: bool = True,
        limit: int = 1000,
        after: str = "",
        agent: str | None = None,
        risk: str | None = None,
        to: Sequence[str] | None = None,
    ) -> list[ContactRow]:
        """Contacts by deadline (none last), then by age.

        `after` is the `place` of the last row of the page before, and stays one whatever becomes of
        that row. `to`: which ask by one of these policies, as `backlog` names them. Raises
        `InvalidRequest` for what is no place.
        """
        ...

    def closed(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        limit: int = 100,
        after: str = "",
        agent: str | None = None,
        risk: str | None = None,
        to: Sequence[str] | None = None,
    ) -> list[ContactRow]:
        """Contacts that have ended, the newest end first, each with how. Else as `contacts`."""
        ...

    def backlog(self, *, tenant: str = DEFAULT_TENANT) -> list[Backlog]:
        """How many contacts are open, by agent, risk and whom they ask."""
        ...


def place_of(after: str, *types: type) -> tuple[Any, ...]:
    """The parts of a `ContactRow.place`; none of an empty one. Raises `InvalidRequest`."""
    parts = after.split(" ") if after else []
    try:
        if not parts or len(parts) == len(types):
            place = tuple(type(part) for type, part in zip(types, parts, strict=False))
            if all(part < NUMBER_MAX for part in place if isinstance(part, int)):
                return place
    except ValueError:
        pass
    raise InvalidRequest(
        "The list has no such place. Begin again at its first page.",
        errors={"after": "is no place of this list"},
    )
