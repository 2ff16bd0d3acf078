"""What the crash matrix runs: the release pipeline, the calculator, and tools that may not be repeated."""

import asyncio
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES / "release_pipeline"))

import app as release  # noqa: E402
from cluster import Cluster  # noqa: E402

from twelvefold import (  # noqa: E402
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
from twelvefold.store import ContactRow  # noqa: E402
from twelvefold.testing import Point, Scenario  # noqa: E402


class PointedCluster(Cluster):
    """The cluster with a boundary before and after each effect."""

    def __init__(self, path: Path, point: Point, **options: Any) -> None:
        super().__init__(path, **options)
        self.point = point

    def deploy(self, what: str, tag: str, *, key: str) -> str:
        self.point(f"before effect of {what}")
        answer = super().deploy(what, tag, key=key)
        self.point(f"after effect of {what}")
        return answer


def _pipeline(folder: Path, point: Point, **options: Any) -> Scenario:
    cluster = PointedCluster(folder / "cluster.db", point, **options)
    release.cluster = cluster  # this process runs one scenario and ends
    app = release.app
    app.use_store(str(folder / "threads.db"))

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        first = contact.id == "s3.1" and "." not in contact.ref.id
        if first:
            comment = "can you deploy the backend first?"
            return {"decision": "deny", "by": "anna", "comment": comment}
        return {"decision": "approve", "by": "anna"}

    def effects() -> Mapping[str, int]:
        return {f"{what} {tag}": effects for what, tag, _, effects in cluster.ledger()}

    async def launch(app: App) -> None:
        await app.launch("release", "deploy SHA 4af9ec0 to production", thread_id="r1")

    return Scenario(app, launch, answer, effects)


def pipeline(folder: Path, point: Point) -> Scenario:
    return _pipeline(folder, point)


def rollback(folder: Path, point: Point) -> Scenario:
    """Production's tests fail, and a child thread rolls back."""
    return _pipeline(folder, point, e2e_fails_in="production")


class Pay(Step):
    """Money: of high risk, and the bank honours no key."""

    risk: ClassVar = "high"
    intent: Literal["pay"] = "pay"
    to: str


class Book(Step):
    """As `Pay`, with a bank that can be asked afterwards."""

    risk: ClassVar = "high"
    intent: Literal["book"] = "book"
    to: str


class Ledger:
    """The bank's books: every call that arrives takes effect."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, key: str) -> None:
        with sqlite3.connect(self.path) as db:
            db.execute("create table if not exists paid (key text not null)")
            db.execute("insert into paid values (?)", (key,))
        db.close()

    def counts(self) -> dict[str, int]:
        with sqlite3.connect(self.path) as db:
            db.execute("create table if not exists paid (key text not null)")
            rows = db.execute("select key, count(*) from paid group by key").fetchall()
        db.close()
        return dict(rows)


AnyStep = Pay | Book


def payments(folder: Path, point: Point) -> Scenario:
    """Two payments and a booking side by side; a person or `reconcile` settles what was cut off."""
    return _payments(folder, point)


def payments_that_lie(folder: Path, point: Point) -> Scenario:
    """The same, but the file says that the bank honours keys. It does not."""
    return _payments(folder, point, retry_safe=True)


def _payments(folder: Path, point: Point, *, retry_safe: bool = False) -> Scenario:
    ledger = Ledger(folder / "ledger.db")

    async def pay(step: Pay | Book, call: Call[None]) -> str:
        point(f"before effect of {step.intent}")
        await asyncio.to_thread(ledger.add, call.key)
        point(f"after effect of {step.intent}")
        return f"paid {step.to}"

    async def was_it_booked(step: Book, call: Call[None]) -> str:
        point("during reconcile")
        if call.key not in ledger.counts():
            raise NothingHappened("no such booking")
        return f"paid {step.to}"

    def decide(_: Thread, state: State[AnyStep]) -> Effect[AnyStep]:
        if state.finished:
            return Wait()
        if not state.open:
            chosen = state.last(Pay) is not None
            steps = (Pay(to="anna"), Pay(to="ben"), Book(to="carla"))
            return Finish("all paid") if chosen else Choose(*steps)
        return All(*(carry_out(chosen.step, approved=chosen.approved) for chosen in state.ready))

    def carry_out(step: AnyStep, *, approved: bool) -> Any:
        match step:
            case Pay() | Book() if not approved:
                return Approve(step, by="olga")
            case Pay():
                return run(pay, step, retry_safe=retry_safe)
            case Book():
                return run(pay, step, retry_safe=retry_safe, reconcile=was_it_booked)

    app = App([Agent("payments", decide, AnyStep, owner="olga")], store=str(folder / "threads.db"))

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        if contact.data["kind"] == "approval":
            return {"decision": "approve", "by": "olga"}
        key = f"default/p1/{contact.data['step']}"
        if key in ledger.counts():
            value = f"paid {contact.data['args']['to']}"
            return {"decision": "it_ran", "by": "olga", "value": value}
        return {"decision": "run_again", "by": "olga"}

    async def launch(app: App) -> None:
        await app.launch("payments", "pay everybody", thread_id="p1")

    return Scenario(app, launch, answer, ledger.counts)
