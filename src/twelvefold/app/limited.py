"""Threads that a limit stopped and no person paused: of which agent, how many, since when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from twelvefold.store import Store, ThreadRow
from twelvefold.thread import DEFAULT_TENANT, from_iso

LOOKED_AT_MAX = 1_000
"""The newest paused threads. Their rows say it all, so no log is read however many there are."""


@dataclass(frozen=True, slots=True)
class Limited:
    """Those of one agent. `at_least`: not every paused thread was looked at. `since`: the last
    event of the one that rests the longest, which as a rule is the limit."""

    agent: str
    count: int
    at_least: bool
    since: datetime

    @property
    def said(self) -> str:
        """How many, as in `at least 30 threads of bot`."""
        more = "at least " if self.at_least else ""
        return f"{more}{self.count} thread{'' if self.count == 1 else 's'} of {self.agent}"

    @property
    def command(self) -> str:
        return f"twelvefold resume --all --agent {quote(self.agent)}"


def limited_threads(store: Store, *, tenant: str = DEFAULT_TENANT) -> list[Limited]:
    """By agent; the one with most of them comes first."""
    rows = store.threads(tenant=tenant, status="paused", limit=LOOKED_AT_MAX + 1)
    return limited_of(rows[:LOOKED_AT_MAX], at_least=len(rows) > LOOKED_AT_MAX)


def limited_of(rows: Iterable[ThreadRow], *, at_least: bool) -> list[Limited]:
    since: dict[str, list[datetime]] = {}
    for row in rows:
        if row.summary.limited and not row.summary.paused:
            since.setdefault(row.agent, []).append(from_iso(row.summary.updated_at))
    found = [Limited(agent, len(each), at_least, min(each)) for agent, each in since.items()]
    return sorted(found, key=lambda one: (-one.count, one.agent))
