"""The agent that is attacked: one gated step, and a ledger of what took effect."""

import asyncio
from typing import Any

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import Approve, Choose, Effect, Wait, run
from twelvefold.state import State, Upcaster
from twelvefold.steps import Step
from twelvefold.store import EmbeddedStore
from twelvefold.testing import MemoryStore
from twelvefold.thread import Json, Thread


class Victim:
    """An application that chooses one step and asks anna before it runs. `effects` are what ran."""

    def __init__(self, step: Step, *, store: EmbeddedStore | None = None, **upcasters: Upcaster):
        self.step, self.effects = step, list[Json]()
        self.store = store or MemoryStore()
        agent: Agent[Any, Any] = Agent(
            "bot", self._decide, type(step), owner="olga", upcasters=upcasters
        )
        self.app = App([agent], store=self.store)

    def begin(self) -> None:
        asyncio.run(self.app.launch("bot", "go", thread_id="t"))
        self.go_on()

    def go_on(self) -> None:
        asyncio.run(self.app.run(until_idle=True))

    def asked(self) -> dict[str, Json]:
        """What the person is shown: the newest question."""
        [contact] = self.app.inbox()
        return contact.data

    def answer(self, decision: Any, **more: Any) -> None:
        contact = self.asked()["contact"]
        asyncio.run(self.app.answer(f"t.{contact}", decision, by="anna", **more))
        self.go_on()

    def redeployed(self, step: Step, **upcasters: Upcaster) -> "Victim":
        """Other code over the same log, woken by a message."""
        again = Victim(step, store=self.store, **upcasters)
        asyncio.run(again.app.send("t", "go on"))
        again.go_on()
        return again

    def _decide(self, thread: Thread, state: State[Any]) -> Effect[Any, Any]:
        for chosen in state.ready:
            if chosen.approved:
                return run(self._tool, chosen.step)
            return Approve(chosen.step, by="anna")
        return Choose(self.step) if state.by_id("s1") is None else Wait()

    def _tool(self, step: Step) -> None:
        self.effects.append(step.model_dump(mode="json", exclude={"intent"}))
