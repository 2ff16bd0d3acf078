"""Processes of a simulation: each has its own connection to the one real file, may be killed or
stopped at any point, and is cut off from the file from then on."""

import asyncio
import contextvars
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from twelvefold.exceptions import StoreUnavailable
from twelvefold.loop import Bell
from twelvefold.store import Append, Ref
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import START
from twelvefold.thread import Event

LEASE_S = 5.0
PAUSES_S = (0.0, 0.0, 0.0, 0.01, 0.1, 0.5, 2.0)
STALLS_S = (6.0, 20.0)
DOOMED = 0.4
"""How often a process that froze is killed by whoever supervises it, soon after it thawed."""
Place = tuple[Ref, str]
"""A step of a thread."""


class Killed(BaseException):
    """The process is gone: nothing in it may catch this and go on."""


class Wrong(AssertionError):
    """What the history did that it must not. `kind`: `lost`, `duplicated` or another promise."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


@dataclass
class Chance:
    """All that is random in a history, and how rough it is. Calm, nothing goes wrong any more."""

    seed: int
    kill: float = field(init=False)
    stall: float = field(init=False)
    doom: float = 0.15
    ambiguous: float = 0.02
    twice: float = 0.15
    late: float = 0.99
    """How often a timer that is due is passed over."""
    random: Random = field(init=False)
    within: timedelta = field(init=False)
    """Until when people may answer; workers fire such timers late."""

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.kill, self.stall = self.one_of(0.005, 0.02, 0.04), self.one_of(0.01, 0.03)
        self.within = timedelta(seconds=self.one_of(15, 3600))

    def calm(self) -> None:
        self.kill = self.doom = self.stall = self.ambiguous = self.twice = self.late = 0.0

    def hits(self, rate: float) -> bool:
        return self.random.random() < rate

    def one_of(self, *values: Any) -> Any:
        return self.random.choice(values)


@dataclass
class Sight:
    """What the boundary saw: whatever was acknowledged, and who held each thread when."""

    acknowledged: list[tuple[Ref, Event]] = field(default_factory=list[tuple[Ref, Event]])
    claims: Counter[Ref] = field(default_factory=Counter[Ref])
    returned: list[tuple["Process", Place, int]] = field(
        default_factory=list[tuple["Process", Place, int]]
    )
    did: Counter[str] = field(default_factory=Counter[str])
    trace: list[str] = field(default_factory=list[str])
    wrong: list["Wrong"] = field(default_factory=list["Wrong"])


Advance = dict[Ref, int]
_advance: contextvars.ContextVar[Advance | None] = contextvars.ContextVar("advance", default=None)


class Process:
    """One process; `clients` neither die nor stop. Its `store` is what its application is given."""

    def __init__(
        self, name: str, path: str, chance: Chance, sight: Sight, *, is_client: bool = False
    ) -> None:
        self.name, self.chance, self.sight, self.is_client = name, chance, sight, is_client
        self.real = SqliteStore(path)
        self.store = ProcessStore(self)
        self.alive, self.killed, self.thaws_at = True, False, 0.0
        self.is_doomed = False
        self.bells: dict[Ref, Bell] = {}
        self.leases: dict[Any, Any] = {}

    async def pause(self, where: str) -> None:
        """A point at which anything may happen to this process, and others go on."""
        self.check()
        self.sight.trace.append(f"{now_s():.2f} {self.name} {where}")
        chance = self.chance
        if not self.is_client and chance.hits(chance.doom if self.is_doomed else chance.kill):
            self.kill(where)
        if not self.is_client and chance.hits(chance.stall):
            self.sight.did["stalls"] += 1
            self.thaws_at = now_s() + chance.random.uniform(*STALLS_S)
            self.is_doomed = chance.hits(DOOMED)
        await asyncio.sleep(chance.one_of(*PAUSES_S))
        await self._thawed()
        self.check()
        self.beat()

    async def _thawed(self) -> None:
        if now_s() < self.thaws_at:
            await asyncio.sleep(self.thaws_at - now_s())
            await self._thawed()

    def beat(self) -> None:
        """Leases last as long as their holder goes on."""
        for work, (owner, _) in list(self.leases.items()):
            if owner is self:
                self.leases[work] = (self, now_s() + LEASE_S)

    def kill(self, where: str) -> None:
        self.sight.did["kills"] += 1
        self.sight.trace.append(f"{now_s():.2f} {self.name} KILLED {where}")
        self.killed = True
        self.end()
        raise Killed

    def end(self) -> None:
        if self.alive:
            self.alive = False
            self.real.close()

    def check(self) -> None:
        if not self.alive:
            raise Killed


class ProcessStore:
    """The real store at the boundary of a process: each commit may be its last."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def __getattr__(self, name: str) -> Any:
        self._process.check()
        return getattr(self._process.real, name)

    def epoch(self, thread_id: str, *, tenant: str) -> int:
        self._process.check()
        if (mine := _advance.get()) is not None:
            mine[Ref(tenant, thread_id)] = self._process.sight.claims[Ref(tenant, thread_id)]
        return self._process.real.epoch(thread_id, tenant=tenant)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        what = ",".join(draft.type for append in appends for draft in append.drafts) or "nothing"
        process = self._process
        await process.pause(f"before commit of {what}")
        stored = process.real.commit_now(*appends)
        for append, events in zip(appends, stored, strict=True):
            self._see(append, events)
        if process.is_client:  # who was told so before anything else happens
            return self._acknowledged(appends, stored)
        await process.pause(f"after commit of {what}")
        if process.chance.hits(process.chance.ambiguous):
            process.sight.did["ambiguous commits"] += 1
            raise StoreUnavailable("the answer was lost on the way", retryable=True)
        return self._acknowledged(appends, stored)

    def _acknowledged(self, appends: Any, stored: list[list[Event]]) -> list[list[Event]]:
        self._process.sight.acknowledged += [
            (Ref(append.tenant, append.thread_id), event)
            for append, events in zip(appends, stored, strict=True)
            for event in events
        ]
        return stored

    def _see(self, append: Append, events: list[Event]) -> None:
        """Whoever was overtaken by another advance must not have got through."""
        ref, mine = Ref(append.tenant, append.thread_id), _advance.get()
        pairs = zip(append.drafts, events, strict=False)
        written = len(append.drafts) == len(events) and all(d.data is e.data for d, e in pairs)
        if append.epoch is None or mine is None or ref not in mine or not (events and written):
            return
        sight = self._process.sight
        if mine[ref] != sight.claims[ref]:
            what = f"an advance of {ref.id} decided after another took over"
            sight.wrong.append(Wrong("overtaken", what))
        if append.claim:
            sight.claims[ref] += 1
            mine[ref] = sight.claims[ref]


def begin_advance() -> None:
    """From here on the running task, and what it starts, is an advance of its own."""
    _advance.set({})


def now_s() -> float:
    return asyncio.get_running_loop().time()


def clock() -> datetime:
    return START + timedelta(seconds=now_s())
