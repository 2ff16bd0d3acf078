"""Who is attacked: an agent with gated steps, on a real store, and a ledger of what took effect.

The ledger is a file that no store knows of: it says what ran, whatever the log says.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from places import store_in

from crew import PATIENCE_S, Clock, Ledger
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import Approve, Choose, Effect, Wait, run
from twelvefold.engine.embedded import EmbeddedEngine
from twelvefold.exceptions import TwelvefoldError, UnknownContact
from twelvefold.models.scripted import ScriptedModel
from twelvefold.policy import By
from twelvefold.state import Chosen, State
from twelvefold.steps import Step
from twelvefold.store import ContactRow, EmbeddedStore
from twelvefold.thread import DEFAULT_TENANT, Event, Json, Thread, to_text

CarryOut = Callable[["Victim", Chosen[Any]], Any]
Deciding = Callable[["Victim", State[Any]], Any]


class Broken(AssertionError):
    """What the ledger says that it must not say: an attack succeeded."""


class Place:
    """A log on a real store, named by its folder, a ledger outside of it, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.ledger = Ledger(folder / "ledger")
        self.store = store_in(folder)

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    @property
    def effects(self) -> list[Json]:
        return list(map(json.loads, self.ledger.effects))

    def expect(self, *effects: Json) -> None:
        """These effects, in this order, and no others."""
        if self.effects != list(effects):
            raise Broken(f"the ledger holds {self.effects}, not {list(effects)}")


def holds(is_so: bool, otherwise: str) -> None:
    """A promise that is not about an effect."""
    if not is_so:
        raise Broken(f"the promise is broken: {otherwise}")


class Victim:
    """An application that chooses these steps, asks `by` about each, and runs what was approved.

    `carry_out` and `decide` put other code in its place. What ran is in the ledger of the place.
    """

    def __init__(
        self,
        place: Place,
        *steps: Step,
        classes: Any = None,
        by: By = "anna",
        carry_out: CarryOut | None = None,
        decide: Deciding | None = None,
        store: EmbeddedStore | None = None,
        replies: Iterable[Step] | Callable[[Any], Any] = (),
        agent: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.place, self.steps, self.by = place, steps, by
        self.carry_out, self.decide = carry_out or gated, decide or side_by_side
        self.store = store or place.store
        script = replies if callable(replies) else tuple(replies)
        options = {"clock": place.clock, "model": ScriptedModel(script)} | options
        self.made: dict[str, Any] = {
            "classes": classes or _union(steps), "by": by, "carry_out": carry_out,
            "decide": decide, "replies": replies, "agent": agent, **options,
        }  # fmt: skip
        self.agent: Agent[Any, Any] = Agent(
            "bot", self._decide, self.made["classes"], **({"owner": "olga"} | (agent or {}))
        )
        self.app = App([self.agent], store=self.store, **options)

    # What happens to it

    def begin(self, *, sender: str | None = None, tenant: str = DEFAULT_TENANT) -> "Victim":
        asyncio.run(self.app.launch("bot", "go", thread_id="t", sender=sender, tenant=tenant))
        self.go_on()
        return self

    def go_on(self) -> None:
        """Work until nothing is left to do."""
        asyncio.run(self.work())

    async def work(self) -> EmbeddedEngine:
        async with asyncio.timeout(PATIENCE_S):
            return await self.app.run(until_idle=True)

    def answer(self, decision: Any, *, by: str = "anna", of: str = "", **more: Any) -> None:
        """Decide the newest open contact, or `of`, and go on."""
        asyncio.run(self.app.answer(of or self.open_contact(), decision, by=by, **more))
        self.go_on()

    def tried(self, decision: Any, **more: Any) -> TwelvefoldError | None:
        """The refusal of such an answer; None when it was taken."""
        try:
            self.answer(decision, **more)
        except TwelvefoldError as refusal:
            self.go_on()
            return refusal
        return None

    def again(self, *steps: Step, **changed: Any) -> "Victim":
        """Other code over the same log."""
        if steps and "classes" not in changed:
            changed["classes"] = _union(steps)
        made = self.made | {"store": self.store} | changed
        return Victim(self.place, *(steps or self.steps), **made)

    def redeployed(self, *steps: Step, **changed: Any) -> "Victim":
        """Other code over the same log, woken by a message."""
        again = self.again(*steps, **changed)
        asyncio.run(again.app.send("t", "go on"))
        again.go_on()
        return again

    # What is seen of it

    def open_contact(self, thread_id: str = "t") -> str:
        """The full id of the newest contact that is open. Raises `UnknownContact`."""
        rows = self.inbox(thread_id)
        if not rows:
            raise UnknownContact(f"{thread_id} waits for nobody.")
        return f"{thread_id}.{rows[-1].id}"

    def inbox(self, thread_id: str = "t") -> list[ContactRow]:
        rows = [row for row in self.app.inbox() if row.ref.id == thread_id]
        return sorted(rows, key=lambda row: [int(n) for n in row.id[1:].split(".")])

    def asked(self) -> dict[str, Json]:
        """What people are shown where one question is open."""
        [contact] = self.app.inbox()
        return contact.data

    def events(self, type: str, thread_id: str = "t") -> list[Event]:
        return [event for event in self.app.thread(thread_id).events if event.type == type]

    def state(self, thread_id: str = "t") -> State[Any]:
        return self.app.state(self.app.thread(thread_id))

    @property
    def effects(self) -> list[Json]:
        return self.place.effects

    def expect(self, *effects: Json) -> None:
        self.place.expect(*effects)

    def tool(self, step: Step) -> str:
        """The one effect there is: a line in the ledger."""
        self.place.ledger.note(to_text(step.model_dump(mode="json", exclude={"intent"})))
        return "done"

    def _decide(self, thread: Thread, state: State[Any]) -> Effect[Any, Any]:
        return self.decide(self, state)


def side_by_side(victim: Victim, state: State[Any]) -> Any:
    """Choose all its steps at once, and carry out whatever is ready."""
    if state.ready:
        return victim.carry_out(victim, state.ready[0])
    return Wait() if state.by_id("s1") else Choose(*victim.steps)


def gated(victim: Victim, chosen: Chosen[Any]) -> Any:
    if chosen.approved:
        return run(victim.tool, chosen.step)
    return Approve(chosen.step, by=victim.by)


def quiet(verb: Any) -> None:
    """Let somebody try; whether it worked is what the ledger says."""
    with suppress(TwelvefoldError):
        asyncio.run(verb)


def _union(steps: Iterable[Step]) -> Any:
    classes = list(dict.fromkeys(map(type, steps)))
    union: Any = classes[0]
    for cls in classes[1:]:
        union = union | cls
    return union
