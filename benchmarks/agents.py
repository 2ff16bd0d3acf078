"""The work as an agent of twelvefold, and one that waits for a person; on any store."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from benchmarks import work
from benchmarks.measure import Curve
from twelvefold import (
    Agent,
    App,
    Approve,
    AskModel,
    Choose,
    Effect,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    render,
    run,
)
from twelvefold.loop import utc_now
from twelvefold.messages import ModelReply, ModelRequest, Usage
from twelvefold.store import EmbeddedStore
from twelvefold.thread import DEFAULT_TENANT, Draft, to_text


class Lookup(Step):
    """Look one service up."""

    intent: Literal["lookup"] = "lookup"
    query: str


class Done(Step):
    """Everything is known."""

    intent: Literal["done"] = "done"
    message: str


NextStep = Lookup | Done
USAGE = Usage(input=100, output=10)


class InstantModel:
    """Chooses `steps` lookups, then is done. Replies after `latency_s`."""

    def __init__(self, steps: int, *, latency_s: float = 0.0) -> None:
        self._steps, self._latency_s = steps, latency_s

    async def __call__(self, request: ModelRequest) -> ModelReply:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        step = request.turn - 1
        reply: dict[str, Any] = {"intent": "done", "message": work.ANSWER}
        if step < self._steps:
            reply = {"intent": "lookup", "query": work.query(step)}
        return ModelReply(to_text(reply), usage=USAGE, model="instant")


class Bench:
    """One application on one new store. `curve` is marked by each tool call."""

    def __init__(
        self,
        store: EmbeddedStore,
        *,
        steps: int | None = None,
        model: InstantModel | None = None,
        **options: Any,
    ) -> None:
        self.steps = work.STEPS if steps is None else steps
        self.store, self.curve = store, Curve()
        agent = Agent("bench", self._decide, NextStep, owner="ops", limits=None)
        self.app = App([agent], store=store, model=model or InstantModel(self.steps), **options)

    async def _lookup(self, _: Lookup) -> dict[str, Any]:
        self.curve.mark()
        return work.RESULT

    def _decide(self, thread: Thread, state: State[NextStep]) -> Effect[NextStep]:
        if not state.ready:
            resting = state.waiting or state.finished
            return Wait() if resting else AskModel(lambda: render(thread), NextStep)
        match state.ready[0].step:
            case Lookup() as step:
                return run(self._lookup, step, retry_safe=True)
            case Done(message=message) as step:
                return Finish(message, step)

    async def launch(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> None:
        await self.app.launch("bench", work.TASK, thread_id=thread_id, tenant=tenant)

    async def thread(self, thread_id: str, *, tenant: str = DEFAULT_TENANT) -> None:
        await self.launch(thread_id, tenant=tenant)
        await self.app.run(until_idle=True)

    async def crowd(self, threads: int) -> None:
        """All of them at once."""
        await asyncio.gather(*(self.launch(f"t{number}") for number in range(threads)))
        await self.app.run(until_idle=True)

    def check(self, threads: int, *, tenant: str = DEFAULT_TENANT) -> None:
        """A figure of work that was not done is worth nothing."""
        rows = self.store.threads(limit=threads + 1, tenant=tenant)
        steps = [row.summary.steps for row in rows if row.status == "finished"]
        assert steps == [self.steps + 1] * threads, steps


class Pay(Step):
    """What waits for a person."""

    risk: ClassVar = "high"
    intent: Literal["pay"] = "pay"
    to: str


class Gate:
    """Threads that wait for an approval. `called` runs in the tool."""

    def __init__(self, store: EmbeddedStore, *, called: Callable[[], None], **options: Any) -> None:
        self.store, self._called = store, called
        agent = Agent("gate", self._decide, Pay, owner="ops")
        self.app = App([agent], store=store, **options)

    async def _pay(self, step: Pay) -> str:
        self._called()
        return f"paid {step.to}"

    def _decide(self, _: Thread, state: State[Pay]) -> Effect[Pay]:
        if state.finished or state.waiting:
            return Wait()
        if not state.ready:
            return Finish("paid") if state.last(Pay) else Choose(Pay(to="anna"))
        chosen = state.ready[0]
        if not chosen.approved:
            return Approve(chosen.step, by="ops")
        return run(self._pay, chosen.step, retry_safe=True)

    async def ask(self, threads: int) -> None:
        for number in range(threads):
            await self.app.launch("gate", work.TASK, thread_id=f"t{number}")
        await self.app.run(until_idle=True)

    async def approve(self, contact: str) -> None:
        await self.app.answer(contact, "approve", by="ops")
        await self.app.run(until_idle=True, only=contact.partition(".")[0])


def facts(count: int, head: int) -> list[Draft]:
    """Choices and results by turns, as W2 makes them."""
    drafts: list[Draft] = []
    for seq in range(head, head + count):
        data = {"intent": "lookup", "args": {"query": work.query(seq)}, "by": "code"}
        if seq % 2:
            step = f"s{seq // 2 + 1}"
            data = {"step": step, "intent": "lookup", "attempt": 1, "result": work.RESULT}
        type = "tool_returned" if seq % 2 else "next_step_chosen"
        drafts.append(Draft(type, data, utc_now(), key=f"fact:{seq}"))
    return drafts
