"""advance: fold, decide, begin, one commit, act, and again, until nothing is left but to wait.

- A decision is committed with the head it saw. If anything arrived meanwhile it is thrown away and
  made again: that check is the claim that makes a step run once.
- A fact is committed whatever arrived. I/O starts only after the commit that says so.
- Paused means rows: when `advance` returns, no task and no handle is left.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

from twelvefold.exceptions import DecideNeverWaits, Fenced, Stale, StoreError, UnknownAgent
from twelvefold.failures import short
from twelvefold.loop.acts import Surroundings, act
from twelvefold.plan import Act, CallModel, CallTool, Plan, begin, recover, sleep_timer
from twelvefold.reducer import fold
from twelvefold.state import State
from twelvefold.store import Append, Ref, Store
from twelvefold.thread import Draft, Event, Thread

DECISIONS_MAX = 100
"""Decisions between two I/Os; more is a `decide` that never waits."""

MODEL_CALL = "model"
"""What stands for a model call among the ids of steps whose acts are under way."""

log = logging.getLogger("twelvefold")


class Bell:
    """How an engine tells a running advance that something arrived, or that it is to stop.
    `version` is the newest wake."""

    def __init__(self, version: int | None = None) -> None:
        self.version = version
        self.rung = asyncio.Event()
        self.stopped = False

    def ring(self, version: int) -> None:
        self.version = version
        self.rung.set()

    def stop(self) -> None:
        """Begin nothing more: record what is under way, and leave the thread woken."""
        self.stopped = True
        self.rung.set()


async def advance(ref: Ref, around: Surroundings, *, bell: Bell | None = None) -> State[Any]:
    """Take the thread as far as it goes now; its state at rest.

    Raises `UnknownThread`, `UnknownAgent` and `StoreError`; what `decide` raises becomes an event.
    Returns when another advance took the thread over.
    """
    return await _Advance(ref, around, bell or Bell()).run()


async def record(store: Store, ref: Ref, draft: Draft, *, wake: bool) -> None:
    """Append a fact, whoever owns the thread now.

    An outcome that comes after its run was declared unknown still is a fact: it settles the step if
    nothing else has. A second reply to one model call is kept for its cost and chooses nothing.
    """
    fact = Append(ref.id, [draft], tenant=ref.tenant, wake=wake, cancel=_sleeps_ended([draft]))
    [stored] = await store.commit(fact)
    if type := _late_type(stored[0], draft):
        late = [Draft(type, draft.data, draft.at, key=f"late:{draft.key}", after=draft.after)]
        await store.commit(replace(fact, drafts=late, cancel=_sleeps_ended(late)))


def _sleeps_ended(facts: list[Draft]) -> list[str]:
    """Timers that late outcomes end: a step may sleep while nobody knows what its run has done."""
    late = [fact for fact in facts if (fact.key or "").startswith("late:outcome:")]
    return [sleep_timer(fact.data["step"]) for fact in late]


def _late_type(stored: Event, draft: Draft) -> str | None:
    """As what the second fact under one key is kept; None when it says nothing new."""
    if stored.data == draft.data:
        return None
    if (draft.key or "").startswith("reply:"):
        return "model_superseded"
    return draft.type if stored.type == "tool_outcome_unknown" != draft.type else None


class _Advance:
    """One advance. `durable` is what is committed; `thread` and `state` run ahead of it."""

    thread: Thread
    durable: Thread
    state: State[Any]
    served: int | None

    def __init__(self, ref: Ref, around: Surroundings, bell: Bell) -> None:
        self.ref, self.around, self.bell = ref, around, bell
        self.store = around.store
        self.epoch = self.store.epoch(ref.id, tenant=ref.tenant)
        self.holds = False
        self.facts: list[Draft] = []
        self.flying: dict[asyncio.Task[Draft], str] = {}
        self._take_up(self.store.load(ref.id, tenant=ref.tenant))
        if self.thread.agent not in around.agents:
            raise UnknownAgent(
                f"{ref.id} belongs to the agent {self.thread.agent!r}, which is not in App."
            )
        self.agent = around.agents[self.thread.agent]
        self.state = self.agent.state(self.thread)

    async def run(self) -> State[Any]:
        try:
            while not self.bell.stopped and not await self._round():
                pass
        except Fenced:
            log.info("%s was taken over by another advance", self.ref.id)
        finally:
            await self._land()
        return self.state

    async def _round(self) -> bool:
        """Decide, commit, start what was decided, take in what ended. True when only waiting is
        left."""
        plan, after = self._decide()
        rests = plan.waits and not self.flying
        try:
            await self._commit(plan, rests=rests)
        except Stale:
            await self._catch_up()
            return False
        if rests:
            return True
        if self._is_alone(plan):
            fact = await act(plan.acts[0], self.thread, self.agent, self.around, after=after)
            self._fold([fact])
            return False
        for action in plan.acts:
            doing = act(action, self.thread, self.agent, self.around, after=after)
            self.flying[asyncio.ensure_future(doing)] = _name_of(action)
        await self._take_in()
        return False

    def _is_alone(self, plan: Plan) -> bool:
        """Whether nothing else can become ready while the act is under way: then it needs no
        task."""
        return len(plan.acts) == 1 and not self.flying and len(self.state.open) < 2

    def _take_up(self, thread: Thread) -> None:
        self.served = self.bell.version
        self.thread = self.durable = thread

    def _decide(self) -> tuple[Plan, int]:
        """Decide until an effect needs I/O or waits. The plan of all, and the head the last one
        saw."""
        total = Plan()
        try:
            for _ in range(DECISIONS_MAX):
                after = self.thread.head
                plan = self._decide_once()
                drafts = [_after(draft, after) for draft in plan.drafts]
                total.add(plan)
                total.drafts[len(total.drafts) - len(drafts) :] = drafts
                self._fold(drafts, decided=True)
                if plan.acts or plan.waits:
                    total.waits = plan.waits
                    return total, after
            raise DecideNeverWaits(f"decide made {DECISIONS_MAX} decisions without waiting.")
        except Exception as error:
            log.exception("%s: decide failed", self.ref.id)
            return self._failed(error), self.thread.head

    def _decide_once(self) -> Plan:
        state, now = self.state, self.around.clock()
        if state.stopped:
            return Plan(waits=True)
        recovery = recover(state, self.agent, in_flight=set(self.flying.values()), now=now)
        if recovery.drafts:
            return recovery
        effect = self.agent.decide(self.thread, state)
        plan = begin(effect, state, self.thread, self.agent, now=now)
        for other in plan.others:
            if other.create is not None and other.create.agent not in self.around.agents:
                raise UnknownAgent(
                    f"{self.ref.id} delegates to {other.create.agent!r}: add it to App."
                )
        plan.acts = [action for action in plan.acts if not self._is_under_way(action)]
        plan.waits = plan.waits or not (plan.acts or plan.drafts)
        return plan

    def _is_under_way(self, action: Act) -> bool:
        """One model call at a time, one `reconcile` per step: its result decides what is next."""
        return not isinstance(action, CallTool) and _name_of(action) in self.flying.values()

    def _failed(self, error: Exception) -> Plan:
        """Park the thread with the reason. Decisions of this round go; nothing of them was
        begun."""
        self._rewind()
        data = {"error": short(error), "by": "advance"}
        draft = Draft("advance_failed", data, self.around.clock(), after=self.thread.head)
        self._fold([draft], decided=True)
        return Plan(waits=True, drafts=[draft])

    def _fold(self, drafts: list[Draft], *, decided: bool = False) -> None:
        """Take in drafts that are not durable yet."""
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

    async def _commit(self, plan: Plan, *, rests: bool) -> None:
        drafts = self.facts + plan.drafts
        if not drafts and not (rests and self.served is not None):
            return
        append = Append(
            self.ref.id,
            drafts,
            tenant=self.ref.tenant,
            expect=self.durable.head,
            epoch=self.epoch,
            claim=bool(drafts) and not self.holds,
            timers=plan.timers,
            cancel=plan.cancel + _sleeps_ended(self.facts),
            served=self.served if rests else None,
        )
        [stored, *_] = await self.store.commit(append, *plan.others)
        if [(event.type, event.data) for event in stored] != [(d.type, d.data) for d in drafts]:
            raise Stale(f"{self.ref.id}: an event with one of these keys was there already.")
        if append.claim:
            self.holds, self.epoch = True, self.epoch + 1
        self.facts = []
        if stored and stored[-1].seq != self.thread.head:  # a delivery record came in between
            self._take_up(self.store.load(self.ref.id, tenant=self.ref.tenant))
            self.state = self.agent.state(self.thread)
        self.durable = self.thread
        for draft in drafts:
            log.debug("%s %s", self.ref.id, draft.type)

    async def _catch_up(self) -> None:
        """Something arrived: keep the facts, forget the decisions, read the log anew."""
        await self._record_facts(wake=False)
        self._take_up(self.store.load(self.ref.id, tenant=self.ref.tenant))
        self.state = self.agent.state(self.thread)

    async def _take_in(self) -> None:
        """Wait until an act ends or the bell rings, and take in what there is."""
        bell = asyncio.ensure_future(self.bell.rung.wait())
        try:
            await asyncio.wait({*self.flying, bell}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()
        for task in [task for task in self.flying if task.done()]:
            del self.flying[task]
            self._fold([task.result()])
        if self.bell.rung.is_set():
            self.bell.rung.clear()
            await self._catch_up()

    async def _land(self) -> None:
        """Leave nothing in the air: record what the acts still under way bring."""
        while self.flying:
            with suppress(StoreError):  # tried again below, when the others have ended
                await self._record_facts(wake=True)
            done, _ = await asyncio.wait(self.flying, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del self.flying[task]
                self.facts.append(task.result())
        await self._record_facts(wake=True)

    async def _record_facts(self, *, wake: bool) -> None:
        """A fact is forgotten only when it is durable; its key makes a repetition harmless."""
        while self.facts:
            await record(self.store, self.ref, self.facts[0], wake=wake)
            del self.facts[0]


def _name_of(action: Act) -> str:
    match action:
        case CallModel():
            return MODEL_CALL
        case CallTool():
            return action.step_id
        case _:
            return action.call.step_id


def _after(draft: Draft, head: int) -> Draft:
    draft.after = head
    return draft
