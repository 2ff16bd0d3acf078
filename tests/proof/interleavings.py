"""What people, clocks, copies and crashes do to threads in any order, and a book of what may run.

The book is kept by the rules here, from what people were shown and said, and not from the log. What
a tool does is a line in a list outside of the store. `use_up` says that no line lacks its leave;
`settle_all` says that no leave lacks its line.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crew import Clock, Pay
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import All, Approve, Choose, Wait, run
from twelvefold.exceptions import TwelvefoldError
from twelvefold.loop import advance
from twelvefold.policy import at_least
from twelvefold.state import State
from twelvefold.store import Append, ContactRow, EmbeddedStore, Ref
from twelvefold.thread import DEFAULT_TENANT, from_iso

HOUR = timedelta(hours=1)
PEOPLE = ("anna", "ben", "cleo")
OWNER = "olga"
TENANTS = (DEFAULT_TENANT, "other")

Effect = tuple[Ref, str]
"""Where something was paid, and to whom: no two steps of a thread pay the same."""


class Killed(BaseException):
    """The process is gone: nothing in it may try again, as it does when a store is away."""


class Dying:
    """A store whose process ends at the first commit with an event of `type`: right before it, or
    right after. From then on nothing is committed any more.

    `running` are the steps that it started and did not see the end of."""

    def __init__(self, store: EmbeddedStore, type: str, *, after: bool) -> None:
        self.store, self.type, self.after, self.dead = store, type, after, False
        self.running: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def commit(self, *appends: Append) -> Any:
        return self.commit_now(*appends)

    def commit_now(self, *appends: Append, tx: Any = None) -> Any:
        if self.dead:
            raise Killed
        drafts = [draft for append in appends for draft in append.drafts]
        self.dead = any(draft.type == self.type for draft in drafts)
        if self.dead and not self.after:
            raise Killed
        stored = self.store.commit_now(*appends)
        for draft in drafts:
            if draft.type == "tool_started":
                self.running.add(draft.data["step"])
            elif draft.type.startswith("tool_"):
                self.running.discard(draft.data["step"])
        if self.dead:
            raise Killed
        return stored


@dataclass
class Book:
    """What may still happen, what happened, and how contacts ended when they were first seen so.

    What is `cut_off` may have happened: no yes is a leave for it until the owner has said so.
    """

    leave: Counter[Effect] = field(default_factory=Counter[Effect])
    cut_off: set[Effect] = field(default_factory=set[Effect])
    unbidden: list[Effect] = field(default_factory=list[Effect])
    votes: dict[tuple[Ref, str], set[str]] = field(default_factory=dict[tuple[Ref, str], set[str]])
    editors: dict[Effect, str] = field(default_factory=dict[Effect, str])
    ended: dict[tuple[Ref, str], Any] = field(default_factory=dict[tuple[Ref, str], Any])
    did: Counter[str] = field(default_factory=Counter[str])

    def use_up(self, effect: Effect) -> None:
        self.did["effects"] += 1
        if self.leave[effect] < 1:
            self.unbidden.append(effect)
        self.leave[effect] -= 1

    def take_back(self, ref: Ref) -> None:
        for effect in self.leave:
            if effect[0] == ref:
                self.leave[effect] = 0


class World:
    """Threads of an agent that asks `needed` of three people about each payment, for an hour.

    A message that names somebody makes one more payment. Nothing happens by itself: `advance` and
    `fire` are steps of a history like any other.
    """

    def __init__(self, store: EmbeddedStore, needed: int) -> None:
        self.store, self.needed = store, needed
        self.clock, self.book = Clock(), Book()
        self.threads: list[Ref] = []
        self.cancelled: set[Ref] = set()
        self.edits = 0
        self.agent: Agent[Any, Any] = Agent("bot", self._decide, Pay, owner=OWNER, limits=None)
        self.app = self._on(store)

    def _on(self, store: Any) -> App:
        return App([self.agent], store=store, clock=self.clock)

    def _decide(self, thread: Any, state: State[Any]) -> Any:
        if state.ready:
            return All(*map(self._carry_out, state.ready))
        chosen = sum(step.by == "code" for step in state.all(Pay))
        names = [e.data["text"] for e in thread.events if e.type == "message_received"][chosen:]
        return Choose(*(Pay(to=name) for name in names)) if names else Wait()

    def _carry_out(self, chosen: Any) -> Any:
        if chosen.approved:
            return run(self._pay, chosen.step)
        return Approve(chosen.step, by=at_least(self.needed, *PEOPLE), within=HOUR)

    async def _pay(self, step: Pay, call: Any) -> str:
        self.book.use_up((Ref(call.tenant, call.thread_id), step.to))
        return "paid"

    # What happens

    def do(self, verb: Any) -> bool:
        """Whether it was taken; a refusal changes nothing."""
        try:
            asyncio.run(verb)
        except TwelvefoldError as refusal:
            self.book.did[type(refusal).__name__] += 1
            return False
        return True

    def launch(self) -> None:
        ref = Ref(DEFAULT_TENANT, f"t{len(self.threads)}")
        self.do(self.app.launch("bot", f"n{len(self.threads)}", thread_id=ref.id))
        self.threads.append(ref)

    def send(self, ref: Ref, name: str, times: int) -> None:
        for _ in range(times):
            self.do(self.app.send(ref.id, name, key=f"delivery {name}", tenant=ref.tenant))

    def advance(self, ref: Ref) -> None:
        asyncio.run(advance(ref, self.app.surroundings))

    def crash(self, ref: Ref, type: str, *, after: bool) -> None:
        """Advance until the process ends; another one finds what is in the store."""
        dying = Dying(self.store, type, after=after)
        with suppress(Killed):
            asyncio.run(advance(ref, self._on(dying).surroundings))
        self.book.did[f"crashes {'after' if after else 'before'} {type}"] += dying.dead
        for effect in self._effects(ref, dying.running if dying.dead else ()):
            self.book.leave[effect] = 0
            self.book.cut_off.add(effect)

    def _effects(self, ref: Ref, ids: Iterable[str]) -> list[Effect]:
        thread = self.app.thread(ref.id, tenant=ref.tenant)
        steps = [e.data["args"]["to"] for e in thread.events if e.type == "next_step_chosen"]
        return [(ref, steps[int(step[1:]) - 1]) for step in ids]

    def forward(self, by: timedelta, *, fire: bool) -> None:
        self.clock.forward(by)
        if fire:
            self.work()

    def work(self) -> None:
        asyncio.run(self.app.run(until_idle=True))

    def cancel(self, ref: Ref) -> None:
        if self.do(self.app.cancel(ref.id, tenant=ref.tenant)):
            self.cancelled.add(ref)
            self.book.take_back(ref)

    def copy(self, ref: Ref, at: int, *, to_tenant: str | None) -> None:
        """A fork, or an import elsewhere. Nobody has said anything about what it holds."""
        thread, name = self.app.thread(ref.id, tenant=ref.tenant), f"t{len(self.threads)}"
        if to_tenant is None:
            new = Ref(ref.tenant, name)
            done = self.do(
                self.app.fork(ref.id, 1 + at % thread.head, new_id=name, tenant=ref.tenant)
            )
        else:
            new = Ref(to_tenant, name)
            text = thread.to_jsonl()
            done = self.do(self.app.import_thread(text, new_id=name, tenant=to_tenant))
            self.book.cut_off |= {(new, to) for at, to in self.book.cut_off if done and at == ref}
        if done:
            self.threads.append(new)
            if any(e.type == "cancelled" for e in self.app.thread(name, tenant=new.tenant).events):
                self.cancelled.add(new)

    # What people say, and what the book makes of it

    def contacts(self, *, open_only: bool = True) -> list[ContactRow]:
        return [
            row
            for tenant in TENANTS
            for row in self.store.contacts(tenant=tenant, open_only=open_only)
        ]

    def answer(self, row: ContactRow, decision: Any, who: str, *, again: int) -> None:
        """One answer, delivered `again` times more; a duplicate may only be refused."""
        for _ in range(1 + again):
            if row.data["kind"] == "outcome":
                self._settle(row, decision)
            else:
                self._say(row, decision, who)

    def _say(self, row: ContactRow, decision: Any, who: str) -> None:
        ref, to = row.ref, row.data["args"]["to"]
        more: dict[str, Any] = {}
        if decision == "edit":
            self.edits += 1
            more = {"changes": {"to": f"e{self.edits}"}}
        if not self._given(row, decision, who, digest=row.data["digest"], **more):
            return
        assert self.clock() <= from_iso(row.data["deadline"]), "an answer was taken after its time"
        self.book.did[decision] += 1
        if decision == "edit":
            to = more["changes"]["to"]
            self.book.editors[ref, to] = who
            self.book.leave[ref, to] += self.needed == 1
        elif decision == "approve":
            votes = self.book.votes.setdefault((ref, row.id), set())
            editor = self.book.editors.get((ref, to))
            votes.update({who} if editor is None else {who, editor})
            enough = len(votes) >= self.needed and (ref, to) not in self.book.cut_off
            self.book.leave[ref, to] += enough

    def _settle(self, row: ContactRow, decision: str) -> None:
        """What the owner says of a run that was cut off: a yes means once more."""
        ref, to = row.ref, row.data["args"]["to"]
        word = "run_again" if decision == "approve" else "give_up"
        if self._given(row, word, OWNER):
            self.book.did[word] += 1
            self.book.leave[ref, to] = int(word == "run_again")
            self.book.cut_off.discard((ref, to))

    def _given(self, row: ContactRow, decision: Any, who: str, **more: Any) -> bool:
        contact, tenant = f"{row.ref.id}.{row.id}", row.ref.tenant
        answer = self.app.answer(contact, decision, by=who, comment="x", tenant=tenant, **more)
        return self.do(answer)

    # What must hold

    def check(self) -> None:
        assert self.book.unbidden == [], "something ran that nobody had decided"
        for row in self.contacts(open_only=False):
            state = self.app.state(self.app.thread(row.ref.id, tenant=row.ref.tenant))
            if row.outcome is None:
                waiting = [step.id for step in state.open if step.waiting == row.id]
                assert waiting == [row.data["step"]], f"{row.id} is open, and nothing waits for it"
            else:
                ended = (row.outcome, row.closed_at)
                assert self.book.ended.setdefault((row.ref, row.id), ended) == ended

    def settle_all(self) -> None:
        """Every leave is used, once nothing is in the way."""
        for ref in self.threads:
            self.advance(ref)
        self.work()
        self.check()
        left = {effect for effect, count in self.book.leave.items() if count > 0}
        assert {effect for effect in left if effect[0] not in self.cancelled} == set()
