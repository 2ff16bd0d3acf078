"""Money, where the outside world honours no key: every call that arrives takes effect."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Literal

from twelvefold import (
    Agent,
    All,
    App,
    Approve,
    Call,
    Choose,
    Effect,
    Finish,
    NothingHappened,
    State,
    Step,
    Thread,
    Wait,
    run,
)
from twelvefold.store import EmbeddedStore
from twelvefold.testing import Point


class Pay(Step):
    """A bank that cannot be asked afterwards."""

    risk: ClassVar = "high"
    intent: Literal["pay"] = "pay"
    to: str


class Book(Step):
    """A bank that can."""

    risk: ClassVar = "high"
    intent: Literal["book"] = "book"
    to: str


AnyStep = Pay | Book
STEPS = (Pay(to="anna"), Pay(to="ben"), Book(to="carla"))


class Ledger:
    """The bank's books."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("create table if not exists paid (key text not null)")

    def add(self, key: str) -> None:
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("insert into paid values (?)", (key,))

    def counts(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.path)) as db:
            return dict(db.execute("select key, count(*) from paid group by key").fetchall())


def payments_app(ledger: Ledger, point: Point, *, store: EmbeddedStore, retry_safe: bool) -> App:
    """Three steps chosen at once, approved one by one, run side by side."""

    async def pay(step: AnyStep, call: Call[None]) -> str:
        point(f"before effect of {step.intent}")
        await asyncio.to_thread(ledger.add, call.key)
        point(f"after effect of {step.intent}")
        return f"paid {step.to}"

    async def was_it_booked(step: Book, call: Call[None]) -> str:
        point("during reconcile")
        if call.key not in ledger.counts():
            raise NothingHappened("no such booking")
        return f"paid {step.to}"

    def carry_out(step: AnyStep, *, approved: bool) -> Any:
        if not approved:
            return Approve(step, by="anna")
        match step:
            case Pay():
                return run(pay, step, retry_safe=retry_safe)
            case Book():
                return run(pay, step, retry_safe=retry_safe, reconcile=was_it_booked)

    def decide(_: Thread, state: State[AnyStep]) -> Effect[AnyStep]:
        if state.finished:
            return Wait()
        if not state.open:
            return Choose(*STEPS) if state.last(Pay) is None else Finish("all paid")
        return All(*(carry_out(chosen.step, approved=chosen.approved) for chosen in state.ready))

    return App([Agent("payments", decide, AnyStep, owner="anna")], store=store)
