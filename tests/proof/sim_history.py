"""One history: workers that take leases, die, freeze and meet; people; deliveries, twice and out of
order. One seed is one history, and `replay` shows it.

A worker takes what is woken or due, in any order. Mostly it leaves what another has leased alone,
but a lease ends when its holder is silent for `LEASE_S`, and some work is handed out twice, as
every queue does.
"""

import asyncio
import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sim_processes import (
    LEASE_S,
    Chance,
    Killed,
    Process,
    Sight,
    Wrong,
    begin_advance,
    clock,
    now_s,
)
from sim_world import OWNER, PEOPLE, Book, app_of

from twelvefold.app import App
from twelvefold.exceptions import TwelvefoldError
from twelvefold.loop import Bell, advance, fire_due
from twelvefold.store import ContactRow, Due, Ref
from twelvefold.thread import from_iso

WORKERS = 3
TASKS_EACH = 2
KINDS = ("pay", "pay", "ship", "ship", "look", "nap", "nap", "await", "model")
MESSAGES_MAX = 5
ROUGH_S = 60.0
"""How long anything may go wrong; then everything must come to its end."""
CALM_S_MAX = 1200.0
TICK_S = 0.5
RESTART_S = (0.1, 8.0)
LOOK_S = 15.0
MALLORY = "mallory-"


class History:
    """Everything around one file."""

    def __init__(self, seed: int, path: Path) -> None:
        self.path = str(path)
        self.chance, self.sight, self.book = Chance(seed), Sight(), Book()
        self.leases: dict[Any, tuple[Process, float]] = {}
        self.processes: list[Process] = []
        self.client = self._process("client", is_client=True)
        self.app = app_of(self.client, self.book)
        self.ref = Ref("default", "t0")
        self.sent: set[str] = set()
        self.signals: list[str] = []
        self.cancelled = False
        self.tampered: set[str] = set()

    def _process(self, name: str, *, is_client: bool = False) -> Process:
        process = Process(name, self.path, self.chance, self.sight, is_client=is_client)
        process.leases = self.leases
        self.processes.append(process)
        return process

    async def run(self) -> None:
        chance = self.chance
        count = chance.random.randint(1, MESSAGES_MAX)
        first, *rest = [f"{chance.one_of(*KINDS)}-{n}" for n in range(count)]
        self.first, self.rest = first, rest
        self.signals = [name for name in (first, *rest) if name.startswith("await")]
        await self._surely(lambda: self.app.launch("bot", first, thread_id=self.ref.id))
        around = [self._worker(f"w{n}") for n in range(WORKERS)]
        around += [self._person(name) for name in (*PEOPLE, OWNER, "eve")]
        around += [self._sender(name) for name in rest for _ in range(chance.one_of(1, 1, 2, 3))]
        around += [self._signaller(name) for name in self.signals for _ in range(2)]
        around += [self._canceller()] if chance.hits(0.35) else []
        tasks = [asyncio.ensure_future(one) for one in around]
        try:
            await self._until(ROUGH_S, tasks)
            chance.calm()
            await self._until(CALM_S_MAX, tasks, to_rest=True)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until(self, limit_s: float, tasks: Any, *, to_rest: bool = False) -> None:
        end = now_s() + limit_s
        while now_s() < end:
            await asyncio.sleep(1.0)
            for task in tasks:
                if task.done() and task.exception() is not None:
                    raise task.exception()
            if self.sight.wrong:
                raise self.sight.wrong[0]
            if to_rest and not self._left():
                return
        if to_rest:
            raise Wrong("lost", f"the thread did not come to rest: {self._left()}")

    def _left(self) -> list[str]:
        store = self.client.real
        left = [f"{woken.ref.id} is woken" for woken in store.woken()]
        left += [f"{one.name} advances" for one in self.processes if one.alive and one.bells]
        left += [f"{key} is held" for key, (_, until) in self.leases.items() if until > now_s()]
        left += [f"{row.id} is open" for row in store.contacts()]
        left += [f"a timer is due at {store.next_due()}"] if store.next_due() else []
        left += [f"{name} was not sent" for name in self.rest if name not in self.sent]
        left += [f"{name} was not signalled" for name in self.signals if name not in self.sent]
        return (
            left
            if not self.cancelled
            else [one for one in left if "woken" in one or "advances" in one]
        )

    # Workers

    async def _worker(self, name: str) -> None:
        """A place for processes, one after the other."""
        number = 0
        while True:
            number += 1
            process = self._process(f"{name}.{number}")
            app = app_of(process, self.book)
            tasks = [asyncio.ensure_future(self._serve(process, app)) for _ in range(TASKS_EACH)]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done() and not isinstance(task.exception(), Killed):
                        raise task.exception() or AssertionError("a worker ended")
            finally:
                for task in tasks:  # of a dead process nothing gets through any more
                    task.cancel()
                process.end()
            await asyncio.sleep(self.chance.random.uniform(*RESTART_S))

    async def _serve(self, process: Process, app: App) -> None:
        while True:
            await process.pause("looks for work")
            self._ring(process)
            work = self._taken(process)
            if work is None:
                await asyncio.sleep(TICK_S)
                continue
            try:
                await self._carry_out(work, process, app)
            except TwelvefoldError as error:  # tried again, as it is still woken, or due
                self.sight.did[type(error).__name__] += 1
            if self.leases.get(_name(work), (None,))[0] is process:
                del self.leases[_name(work)]

    def _taken(self, process: Process) -> Any:
        """Any piece of work that is free, and sometimes one that is not."""
        store, now = process.real, now_s()
        found: list[Any] = [*store.woken()]
        found += [due for due in store.due(clock()) if not self.chance.hits(self.chance.late)]
        free = [
            work
            for work in found
            if work.ref not in process.bells
            and (self._is_free(work, now) or self.chance.hits(self.chance.twice))
        ]
        if not free:
            return None
        work = self.chance.random.choice(free)
        self.leases[_name(work)] = (process, now + LEASE_S)
        return work

    def _is_free(self, work: Any, now: float) -> bool:
        return _name(work) not in self.leases or self.leases[_name(work)][1] <= now

    async def _carry_out(self, work: Any, process: Process, app: App) -> None:
        if isinstance(work, Due):
            store: Any = process.store
            return await fire_due(work, app.surroundings, store, ())
        bell = process.bells[work.ref] = Bell(work.version)
        begin_advance()
        try:
            await asyncio.create_task(advance(work.ref, app.surroundings, bell=bell))
        finally:
            del process.bells[work.ref]

    def _ring(self, process: Process) -> None:
        for ref, version in process.real.woken():
            bell = process.bells.get(ref)
            if bell is not None and bell.version != version:
                bell.ring(version)

    # People, webhooks

    async def _surely(self, verb: Any) -> bool:
        """A client that tries again until it is told; whether it was taken."""
        for _ in range(100):
            try:
                await verb()
                return True
            except TwelvefoldError as error:
                if getattr(error, "retryable", False):
                    continue
                self.sight.did[type(error).__name__] += 1
                return False
        raise AssertionError("a client was never told")

    async def _later(self) -> None:
        await asyncio.sleep(self.chance.random.uniform(0.0, 0.6 * ROUGH_S))

    async def _sender(self, name: str) -> None:
        """A webhook; each delivery has the key of its message."""
        await self._later()
        await self._surely(lambda: self.app.send(self.ref.id, name, key=name))
        self.sent.add(name)

    async def _signaller(self, name: str) -> None:
        await self._later()
        await self._surely(lambda: self.app.signal(self.ref.id, name, key=f"signal {name}"))
        self.sent.add(name)

    async def _canceller(self) -> None:
        await self._later()
        self.cancelled = await self._surely(lambda: self.app.cancel(self.ref.id))

    async def _person(self, name: str) -> None:
        while True:
            await asyncio.sleep(self.chance.random.uniform(1.0, LOOK_S))
            if name == "eve" and not self.chance.twice:
                return  # everything is calm
            rows = [row for row in self.client.real.contacts() if self._is_for(name, row)]
            for row in rows:
                await self._say(name, row)

    def _is_for(self, name: str, row: ContactRow) -> bool:
        return (row.data["kind"] == "outcome") == (name == OWNER)

    async def _say(self, name: str, row: ContactRow) -> None:
        """What this person says about it; what they were shown is what the book keeps."""
        contact, to = f"{row.ref.id}.{row.id}", row.data["args"]["to"]
        if name == OWNER:
            return await self._settle(contact, row)
        if self.chance.hits(0.3) and self.chance.twice:
            await asyncio.sleep(LOOK_S / 2)  # an old page
        decision = self.chance.one_of("approve", "approve", "approve", "deny")
        late = from_iso(row.data["deadline"]) < clock()
        digest = row.data["digest"]
        told = await self._answered(contact, decision, by=name, comment="x", digest=digest)
        if told and (late or name == "eve"):
            why = "after its time" if late else "of a stranger"
            raise Wrong("unbidden", f"an answer {why} was taken")
        if told and decision == "approve":
            self.book.leave.add((row.ref, to))
            self._tamper(row)

    async def _settle(self, contact: str, row: ContactRow) -> None:
        """The owner looks into the ledger, when no process is at work on the thread any more:
        one that is only frozen may still do what it began."""
        if any(one.alive and one.bells for one in self.processes):
            return
        ran = f"default/{row.ref.id}/{row.data['step']}" in self.book.shipped_keys
        if ran:
            await self._answered(contact, "it_ran", by=OWNER, value="done")
        else:
            await self._answered(contact, "run_again", by=OWNER)

    async def _answered(self, contact: str, decision: Any, **more: Any) -> bool:
        return await self._surely(lambda: self.app.answer(contact, decision, **more))

    def _tamper(self, row: ContactRow) -> None:
        """Somebody who can write to the file puts another payee where anna's yes was seen."""
        if not self.chance.twice or not self.chance.hits(0.15):
            return
        step, to = row.data["step"], row.data["args"]["to"]
        text = json.dumps(
            {"intent": row.data["intent"], "args": {"to": MALLORY + step}, "by": "code"}
        )
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute(
                "update twelvefold_events set data = ? where type = 'next_step_chosen'"
                " and json_extract(data, '$.args.to') = ?",
                [text, to],
            )
        self.tampered.add(step)

    def close(self) -> None:
        with suppress(Exception):
            self.client.real.close()


def _name(work: Any) -> Any:
    return (work.ref, work.key) if isinstance(work, Due) else work.ref
