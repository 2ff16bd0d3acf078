"""What the crash matrix runs: the pipeline, the calculator, tools that may not be repeated."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bank import Ledger, payments_app
from loading import app_of, example
from people import people_app
from places import store_in
from sending import Mail, sending_app
from slow import LOG, slow_app
from timing import timing_app

from twelvefold import App
from twelvefold.store import ContactRow
from twelvefold.testing import Clock, Point, Scenario

RELEASE = example("release_pipeline")  # loaded once, by the server that forks the children
CALCULATOR = example("calculator")
FIRST = example("first_agent")
OUTER = example("outer_loop")
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # half past eight in Berlin

Reply = Mapping[str, Any]
YES: Reply = {"decision": "approve", "by": "anna"}
BACKEND_FIRST: Reply = {
    "decision": "deny",
    "by": "anna",
    "comment": "can you deploy the backend first?",
}


def pipeline(folder: Path, point: Point) -> Scenario:
    """The release, with the first deploy denied."""
    return _pipeline(folder, point)


def rollback(folder: Path, point: Point) -> Scenario:
    """Production's tests fail, and a child thread rolls back."""
    return _pipeline(folder, point, e2e_fails_in="production")


def _pipeline(folder: Path, point: Point, **options: Any) -> Scenario:
    class PointedCluster(RELEASE.Cluster):
        """The cluster with a boundary before and after each effect."""

        def deploy(self, what: str, tag: str, *, key: str) -> str:
            point(f"before effect of {what}")
            answer: str = super().deploy(what, tag, key=key)
            point(f"after effect of {what}")
            return answer

    cluster = PointedCluster(folder / "cluster.db", **options)
    app = app_of(RELEASE, deps=cluster, store=store_in(folder))

    def answer(contact: ContactRow) -> Reply:
        is_first = contact.ref.id == "r1" and contact.id == "s3.1"
        return BACKEND_FIRST if is_first else YES

    def effects() -> Mapping[str, int]:
        return {f"{what} {tag}": took for what, tag, _, took in cluster.ledger()}

    launch = _launcher("release", "r1", "deploy SHA 4af9ec0 to production")
    return Scenario(app, launch, answer, effects)


def first_agent(folder: Path, point: Point) -> Scenario:
    """The agent of the README. Its tool says nothing about repeating it, so a person is asked."""
    app = app_of(FIRST, store=store_in(folder))

    def answer(contact: ContactRow) -> Reply:
        point("while a person thinks")
        outcome = contact.data["kind"] == "outcome"
        return {"decision": "run_again", "by": "anna"} if outcome else YES

    return Scenario(app, _launcher("bot", "b1", "deploy the newest release"), answer, dict)


def calculator(folder: Path, point: Point) -> Scenario:
    """Pure tools, some of which a crash leaves unknown: a person says that they may run again."""
    app = app_of(CALCULATOR, store=store_in(folder))

    def answer(contact: ContactRow) -> Reply:
        point("while a person thinks")
        outcome = contact.data["kind"] == "outcome"
        return {"decision": "run_again", "by": "anna"} if outcome else YES

    text = "multiply 3 and 4, then divide the result by 2 and then add 12"
    return Scenario(app, _launcher("calculator", "c1", text), answer, dict)


def payments(folder: Path, point: Point) -> Scenario:
    """Two payments and a booking side by side; a person or `reconcile` settles what was cut off."""
    return _payments(folder, point, retry_safe=False)


def payments_that_lie(folder: Path, point: Point) -> Scenario:
    """The same, but the file says that the bank honours keys. It does not."""
    return _payments(folder, point, retry_safe=True)


def _payments(folder: Path, point: Point, *, retry_safe: bool) -> Scenario:
    ledger = Ledger(folder / "ledger.db")
    store = store_in(folder)
    app = payments_app(ledger, point, store=store, retry_safe=retry_safe)

    def answer(contact: ContactRow) -> Reply:
        if contact.data["kind"] == "approval":
            return YES
        if f"default/p1/{contact.data['step']}" in ledger.counts():
            return {
                "decision": "it_ran",
                "by": "anna",
                "value": f"paid {contact.data['args']['to']}",
            }
        return {"decision": "run_again", "by": "anna"}

    return Scenario(app, _launcher("payments", "p1", "pay everybody"), answer, ledger.counts)


def timing(folder: Path, point: Point) -> Scenario:
    """Early signals, a sleep, a deadline that passes, and a schedule whose tool sends signals."""
    ledger = Ledger(folder / "ledger.db")
    app = timing_app(ledger, point, store=store_in(folder))

    async def launch(app: App) -> None:
        await app.launch("release", "ship it", thread_id="r1")
        await app.signal("r1", "merged", {"sha": "4af9ec0"}, key="d1")

    def answer(contact: ContactRow) -> Reply | None:
        return YES if contact.data["kind"] == "approval" else None

    return Scenario(app, launch, answer, ledger.counts)


def outer_loop(folder: Path, point: Point) -> Scenario:
    """Two mornings: a slot, five fetches, an approval, a deploy; then a slot and nothing to do."""

    class PointedForge(OUTER.Forge):
        """The forge with a boundary before and after a deploy."""

        def deploy(self, sha: str, *, key: str) -> str:
            point("before effect of deploy")
            said: str = super().deploy(sha, key=key)
            point("after effect of deploy")
            return said

    forge = PointedForge(folder / "deployed.txt")
    clock = Clock(MONDAY, end=MONDAY + timedelta(hours=26))
    app = app_of(OUTER, deps=forge, store=store_in(folder), clock=clock)

    async def launch(_: App) -> None:
        """Time does."""

    def effects() -> Mapping[str, int]:
        return Counter(forge.path.read_text().split()[1::2])

    return Scenario(app, launch, lambda contact: YES, effects)


def slow(folder: Path, point: Point) -> Scenario:
    """A result beside the log, and two timeouts: one that says so, one that a person settles."""
    ledger = Ledger(folder / "ledger.db")
    app = slow_app(ledger, point, store=store_in(folder))

    def answer(contact: ContactRow) -> Reply:
        if contact.data["kind"] == "approval":
            return YES
        if contact.data["intent"] == "transfer" and ledger.counts():
            return {"decision": "it_ran", "by": "anna", "value": "transferred"}
        return {"decision": "run_again", "by": "anna"}

    def effects() -> Mapping[str, int]:
        names = [event.data.get("attachment") for event in app.thread("w1").events]
        kept = [app.attachment("w1", name["sha256"]) for name in names if name is not None]
        return ledger.counts() | {"logs kept": sum(log == LOG.encode() for log in kept)}

    return Scenario(app, _launcher("slow", "w1", "fetch and transfer"), answer, effects)


def sending(folder: Path, point: Point) -> Scenario:
    """Two people who are asked by mail, and told."""
    mail = Mail(folder / "mail.db", point)
    app = sending_app(mail, store=store_in(folder))
    return Scenario(app, _launcher("sending", "w1", "ship it"), lambda _: YES, mail.counts)


def people(folder: Path, point: Point) -> Scenario:
    """Reminders, a deadline that goes to olga, a rule, and an option that answers by itself."""
    ledger = Ledger(folder / "ledger.db")
    app = people_app(ledger, point, store=store_in(folder))

    async def launch(app: App) -> None:
        await app.launch("people", "refund it", thread_id="p1", sender="ben")

    def answer(contact: ContactRow) -> Reply | None:
        asked_now = contact.data["to"]["people"]
        return {"decision": "approve", "by": "olga"} if asked_now == ["olga"] else None

    return Scenario(app, launch, answer, ledger.counts)


def _launcher(agent: str, thread_id: str, text: str) -> Callable[[App], Any]:
    async def launch(app: App) -> None:
        await app.launch(agent, text, thread_id=thread_id)

    return launch
