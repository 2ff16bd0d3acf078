"""How it all goes, for whoever answers for it: what waits, what is stuck, who works. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from twelvefold.app.limited import Limited
from twelvefold.contacts import ago
from twelvefold.loop import Stats
from twelvefold.policy import Policy
from twelvefold.server.pages.thread_view import contact_path, path_of
from twelvefold.store import ContactRow, ThreadRow
from twelvefold.summary import Status
from twelvefold.thread import DEFAULT_TENANT, from_iso

NEXT_S = timedelta(hours=1)
"""What expires within it expires soon."""

KINDS: Mapping[str, str] = {"outcome": "unknown outcome"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One open contact that somebody should look at. `why` says why just this one."""

    why: str
    what: str
    path: str
    who: str
    since: datetime
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """What waits for people: `open` is all of it, the rest is of the first `seen`."""

    open: int
    seen: int
    kinds: Sequence[str]
    oldest: Asked | None
    expiring: int
    expired: int


@dataclass(slots=True)
class OfAgent:
    """What the newest threads of one agent did and used."""

    agent: str
    threads: int = 0
    statuses: Counter[Status] = field(default_factory=Counter[Status])
    steps: int = 0
    tokens: int = 0
    cost: float = 0.0

    def add(self, row: ThreadRow) -> None:
        self.threads += 1
        self.statuses[row.status] += 1
        self.steps += row.summary.steps
        self.tokens += row.summary.tokens
        self.cost += row.summary.cost


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a limit stopped of one agent, and what makes it go on: `command`, or the pages of the
    threads where that is None, since commands know one tenant."""

    what: str
    path: str
    since: datetime
    command: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    id: str
    path: str
    agent: str
    title: str
    why: str
    since: datetime


def people_of(rows: Sequence[ContactRow], *, open: int, now: datetime) -> People:
    deadlines = [from_iso(row.data["deadline"]) for row in rows if row.data.get("deadline")]
    kinds = Counter(str(row.data["kind"]) for row in rows)
    oldest = min(rows, key=lambda row: row.asked_at, default=None)
    return People(
        open=max(open, len(rows)),
        seen=len(rows),
        kinds=[_count(count, KINDS.get(kind, kind)) for kind, count in kinds.most_common()],
        oldest=None if oldest is None else asked(oldest, "waits the longest"),
        expiring=sum(now < deadline <= now + NEXT_S for deadline in deadlines),
        expired=sum(deadline <= now for deadline in deadlines),
    )


def asked(row: ContactRow, why: str, trouble: str = "") -> Asked:
    name = f"{row.ref.id}.{row.id}"
    what = str(row.data.get("question") or row.data.get("intent"))
    who = str(Policy.from_data(row.data["to"]))
    return Asked(why, what, contact_path(name), who, row.asked_at, trouble)


def agents_of(rows: Iterable[ThreadRow]) -> list[OfAgent]:
    """By agent; who used most comes first."""
    found: dict[str, OfAgent] = {}
    for row in rows:
        found.setdefault(row.agent, OfAgent(row.agent)).add(row)
    return sorted(found.values(), key=lambda one: (-one.cost, -one.tokens, one.agent))


def failed_of(rows: Iterable[ThreadRow]) -> list[Failed]:
    return [
        Failed(
            row.ref.id,
            path_of(row.ref.id),
            row.agent,
            row.summary.title,
            row.summary.failed or "",
            from_iso(row.summary.updated_at),
        )
        for row in rows
    ]


def stopped_of(found: Iterable[Limited], *, tenant: str) -> list[Stopped]:
    return [
        Stopped(
            one.said,
            "/threads?" + urlencode({"status": "paused", "agent": one.agent}),
            one.since,
            one.command if tenant == DEFAULT_TENANT else None,
        )
        for one in found
    ]


def worries(
    people: People,
    failed: int,
    undelivered: int,
    stats: Stats | None,
    *,
    stopped: Sequence[Stopped] = (),
) -> list[str]:
    """What a lead should know first, in whole sentences; empty when all goes well."""
    found: list[str] = []
    if stats is not None and stats.queue and not stats.workers:
        found.append(
            f"{_count(stats.queue, 'thread')} could go on, and no worker runs. Start one:"
            " twelvefold worker."
        )
    elif stats is not None and stats.lag_s > LAG_S_MAX:
        found.append(f"Timers are {ago(timedelta(seconds=stats.lag_s))} late.")
    found += [f"A limit stopped {one.what}: see below how to go on." for one in stopped]
    if people.expired:
        found.append(f"{_count(people.expired, 'question')} not answered in time.")
    if people.expiring:
        found.append(f"{_count(people.expiring, 'question')} to be answered within the hour.")
    if undelivered:
        found.append(f"{_count(undelivered, 'message')} did not reach those who are asked.")
    if failed:
        found.append(f"{_count(failed, 'thread')} failed: look why, then try again.")
    return found


LAG_S_MAX = 60.0


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
