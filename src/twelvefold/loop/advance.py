"""advance: fold, decide, begin, one commit, act, and again, until nothing is left but to wait.

- A decision is committed with the head it saw. If anything arrived meanwhile it is thrown away and
  made again: that check is the claim that makes a step run once.
- A fact is committed whatever arrived. I/O starts only after the commit that says so.
- Paused means rows: when `advance` returns, no task and no handle is left.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

from twelvefold.directory import Directory
from twelvefold.exceptions import DecideNeverWaits, Fenced, Stale, StoreError, UnknownAgent
from twelvefold.loop.acts import brought
from twelvefold.loop.facts import record, sleeps_ended
from twelvefold.loop.not_ours import not_ours
from twelvefold.loop.said import at
from twelvefold.loop.stops import Bell, Stop
from twelvefold.loop.surroundings import Surroundings
from twelvefold.loop.under_way import Brought, Cancels, UnderWay, is_one_of
from twelvefold.loop.undisturbed import undisturbed
from twelvefold.plan import Act, CallTool, Plan, begin, recover, why_parked
from twelvefold.reducer import fold
from twelvefold.state import State
from twelvefold.store import Append, Ref, transactional
from twelvefold.thread import Draft, Thread

DECISIONS_MAX = 100
"""Decisions between two I/Os; more is a `decide` that never waits."""

log = logging.getLogger("twelvefold")


async def advance(ref: Ref, around: Surroundings, *, bell: Bell | None = None) -> State[Any]:
    """Take the thread as far as it goes now; its state at rest.

    Raises `UnknownThread`, `UnknownAgent` and `StoreError`; what `decide` raises becomes an event.
    Returns when another advance took the thread over, or the bell says stop: then the tools under
    way may end. Cancelled, it cancels them, and records what they still bring.
    """
    one, observers = _Advance(ref, around, bell or Bell()), around.observers
    with nullcontext() if observers is None else observers.advancing(one.thread):
        return await one.run()


class _Advance:
    """One advance. `durable` is what is committed; `thread` and `state` run ahead of it."""

    thread: Thread
    durable: Thread
    state: State[Any]
    served: int | None
    cancels: Cancels

    def __init__(self, ref: Ref, around: Surroundings, bell: Bell) -> None:
        self.ref, self.around, self.bell = ref, around, bell
        self.store = around.store
        self.epoch = self.store.epoch(ref.id, tenant=ref.tenant)
        self.holds = False
        self.facts: list[Draft] = []
        self.acts = UnderWay()
        self._take_up(self.store.load(ref.id, tenant=ref.tenant))
        if self.thread.agent not in around.agents:
            raise not_ours(ref, self.thread.agent)
        self.agent = around.agents[self.thread.agent]
        self.state = self.agent.state(self.thread)

    async def run(self) -> State[Any]:
        self.cancels = Cancels()
        self.bell.heard = self._hear
        try:
            while not self.bell.stopped and not await self._round():
                pass
        except Fenced:
            log.info("%s was taken over by another advance", self.ref.id, extra=at(self.durable))
        except asyncio.CancelledError:
            self.acts.cancel()
            raise
        finally:
            await self._land()
            self.bell.heard = None
        return self.state

    async def _round(self) -> bool:
        """Decide, commit, start what was decided, take in what ended. True when only waiting is
        left."""
        plan, after = self._decide()
        rests, seen = plan.waits and not self.acts.tasks, self.durable.head
        try:
            moved = await self._commit(plan, rests=rests)
        except Stale as refusal:
            self._tell(None)
            before = self.durable.head
            await self._catch_up()
            if self.durable.head == before:  # nothing came: a foreign event holds a key of ours
                raise StoreError(f"{self.ref.id} cannot go on: {refusal}") from refusal
            return False
        if rests:
            return True
        after += moved if after > seen else 0
        if self.bell.stopped:  # meanwhile: what the log says has begun is done, and no more
            plan.acts = [action for action in plan.acts if isinstance(action, CallTool)]
        if self._is_alone(plan):
            fact = await self.acts.alone(plan.acts[0], self._doing(plan.acts[0], after))
            await self._take([fact])
            if self.cancels.any():
                raise asyncio.CancelledError
            return False
        for action in plan.acts:
            self.acts.start(action, self._doing(action, after))
        await self._take_in()
        return False

    def _doing(self, action: Act, after: int) -> Callable[[Stop], Coroutine[Any, Any, Brought]]:
        return partial(brought, action, self.thread, self.agent, self.around, after)

    def _is_alone(self, plan: Plan) -> bool:
        """Whether nothing else can become ready while the act is under way: then it needs no
        task."""
        return len(plan.acts) == 1 and not self.acts.tasks and len(self.state.open) < 2

    def _take_up(self, thread: Thread) -> None:
        self.served = self.bell.version
        self.thread = self.durable = thread

    def _decide(self) -> tuple[Plan, int]:
        """Decide until an effect needs I/O or waits. The plan of all, and the head the last one
        saw."""
        total, directory = None, self.around.directory(self.ref.tenant)
        try:
            for _ in range(DECISIONS_MAX):
                after = self.thread.head
                plan = self._decide_once(directory)
                for draft in plan.drafts:
                    draft.after = after
                self._fold(plan.drafts, decided=True)
                total = plan if total is None else total.then(plan)
                if plan.acts or plan.waits:
                    return total, after
            raise DecideNeverWaits(f"decide made {DECISIONS_MAX} decisions without waiting.")
        except Exception as error:
            log.exception("%s: decide failed", self.ref.id, extra=at(self.durable))
            return self._failed(error), self.thread.head

    def _decide_once(self, directory: Directory) -> Plan:
        state, now = self.state, self.around.clock()
        if state.stopped:
            return Plan(waits=True)
        flying = self.acts.names
        recovery = recover(state, self.agent, in_flight=flying, now=now, directory=directory)
        if recovery.drafts:
            return recovery
        effect = self.agent.decide(self.thread, state)
        plan = begin(effect, state, self.thread, self.agent, now=now, directory=directory)
        for other in plan.others:
            if other.create is not None and other.create.agent not in self.around.agents:
                raise UnknownAgent(
                    f"{self.ref.id} delegates to {other.create.agent!r}: add it to App."
                )
        for action in plan.acts:
            if isinstance(action, CallTool) and action.run.in_transaction:
                transactional(self.store)  # or the thread parks with the reason
        if flying:
            plan.acts = [action for action in plan.acts if not is_one_of(flying, action)]
        plan.waits = plan.waits or not (plan.acts or plan.drafts)
        return plan

    def _failed(self, error: Exception) -> Plan:
        """Park the thread with the reason. Decisions of this round go; nothing of them was
        begun."""
        self._rewind()
        data = {"error": why_parked(error, self.agent), "by": "advance"}
        draft = Draft("advance_failed", data, self.around.clock(), after=self.thread.head)
        self._fold([draft], decided=True)
        return Plan(waits=True, drafts=[draft])

    def _fold(self, drafts: list[Draft], *, decided: bool = False) -> None:
        """Take in drafts that are not durable yet."""
        if not drafts:
            return
        head = self.thread.head
        events = [draft.event(head + n) for n, draft in enumerate(drafts, start=1)]
        self.thread = self.thread.grown(events)
        for event in events:
            fold(self.state, event)
        if not decided:
            self.facts += drafts

    def _rewind(self) -> None:
        """Back to what is durable, plus the facts."""
        facts, self.facts = self.facts, []
        self.thread = self.durable
        self.state = self.agent.state(self.thread)
        self._fold(facts)

    async def _commit(self, plan: Plan, *, rests: bool) -> int:
        """By how many places delivery records that came in between have moved what is durable."""
        drafts = self.facts + plan.drafts
        if not drafts and not (rests and self.served is not None):
            return 0
        append = Append(
            self.ref.id,
            drafts,
            tenant=self.ref.tenant,
            expect=self.durable.head,
            epoch=self.epoch,
            claim=bool(drafts) and not self.holds,
            timers=plan.timers + self.around.sends(drafts),
            cancel=plan.cancel + sleeps_ended(self.facts),
            served=self.served if rests else None,
        )
        [stored, *_] = await self.store.commit(append, *plan.others)
        if [(event.type, event.data) for event in stored] != [(d.type, d.data) for d in drafts]:
            raise Stale(f"{self.ref.id}: an event with one of these keys was there already.")
        if append.claim and stored[0].data is drafts[0].data:  # else others wrote it, and hold it
            self.holds, self.epoch = True, self.epoch + 1
        self.facts = []
        self._tell(drafts)
        moved = stored[-1].seq - self.thread.head if stored else 0
        if moved:
            self._take_up(self.store.load(self.ref.id, tenant=self.ref.tenant))
            self.state = self.agent.state(self.thread)
        self.durable = self.thread
        if log.isEnabledFor(logging.DEBUG):
            types = " ".join(draft.type for draft in drafts)
            log.debug("%s %s", self.ref.id, types, extra=at(self.durable))
        return moved

    def _tell(self, drafts: list[Draft] | None) -> None:
        """Observers hear what is durable; None is a decision that was thrown away."""
        if (observers := self.around.observers) is not None:
            if drafts is None:
                observers.outrun(self.ref)
            else:
                observers.committed(self.ref, drafts)

    async def _catch_up(self) -> None:
        """Something arrived: keep the facts, forget the decisions, read the log anew."""
        await self._record_facts(wake=False)
        self._take_up(self.store.load(self.ref.id, tenant=self.ref.tenant))
        self.state = self.agent.state(self.thread)

    async def _take_in(self) -> None:
        """Wait until an act ends or the bell rings, and take in what there is."""
        bell = asyncio.ensure_future(self.bell.rung.wait())
        try:
            await asyncio.wait({*self.acts.tasks, bell}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()
        await self._take(self.acts.landed())
        if self.bell.rung.is_set():
            self.bell.rung.clear()
            await self._catch_up()

    async def _take(self, brought: list[Brought]) -> None:
        """Fold what acts brought; read what they have committed themselves."""
        facts = [fact for fact in brought if fact is not None]
        self._fold(facts)
        if len(facts) < len(brought):
            await self._catch_up()

    async def _land(self) -> None:
        """Leave nothing in the air: record what the acts still under way bring."""
        while self.acts.tasks:
            with suppress(StoreError):  # tried again below, when the others have ended
                await self._record_facts(wake=True)
            try:
                await asyncio.wait(self.acts.tasks, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:  # they were given time, and it is over
                self.acts.cancel()
            self.facts += [fact for fact in self.acts.landed() if fact is not None]
        if self.facts:
            await undisturbed(self._record_facts(wake=True))

    def _hear(self) -> None:
        if self.bell.stopped:
            self.acts.stop(model_calls=True)
        elif self.acts.any_tools and self._is_over():
            self.acts.stop(model_calls=False)

    def _is_over(self) -> bool:
        """Whether somebody cancelled the thread."""
        with suppress(StoreError):  # the advance itself will meet it
            newer = self.store.tail(self.durable).events[self.durable.head :]
            return any(event.type == "cancelled" for event in newer)
        return False

    async def _record_facts(self, *, wake: bool) -> None:
        """A fact is forgotten only when it is durable; its key makes a repetition harmless."""
        while self.facts:
            await record(self.store, self.ref, self.facts[0], wake=wake)
            del self.facts[0]
