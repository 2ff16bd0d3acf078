"""What a store offers to those who watch it: cheap marks that differ when something has changed.

A mark is compared and nothing else. It is asked for before what it stands for is read, so that
whatever comes in between is seen at the next look.
"""

from collections.abc import Sequence
from typing import Protocol

from twelvefold.thread import DEFAULT_TENANT, Event

PAGE_EVENTS = 500
"""Events that are read at once, as a rule."""
LISTED_MAX = 200
"""Of so many threads, the newest, a tenant's mark tells that they changed."""


class Watched(Protocol):
    """Everything may be called from any thread, and nothing is consumed by being asked."""

    def mark(self) -> str:
        """Differs after each commit of anybody, in this process or another."""
        ...

    def heads_of(self, threads: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The heads of these threads, by tenant and id, in one query. Unknown ones are left out."""
        ...

    def events(
        self,
        thread_id: str,
        *,
        after: int = 0,
        limit: int = PAGE_EVENTS,
        tenant: str = DEFAULT_TENANT,
    ) -> list[Event]:
        """The next events of a thread after `after`; none of an unknown thread."""
        ...

    def contacts_mark(self, *, tenant: str = DEFAULT_TENANT) -> str:
        """Differs when a contact of the tenant was opened, moved or closed."""
        ...

    def threads_mark(self, *, tenant: str = DEFAULT_TENANT) -> str:
        """Differs when one of the `LISTED_MAX` newest threads of the tenant grew, or a new one
        began."""
        ...
