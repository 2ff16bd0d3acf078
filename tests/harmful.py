"""Scenarios whose tool does harm when it runs twice, and whose people approve whatever is asked."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from twelvefold import Agent, All, App, Approve, Ask, Choose, Finish, Step, Wait, run
from twelvefold.policy import Risk
from twelvefold.store import ContactRow
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Point, Scenario


class Restart(Step):
    risk: ClassVar[Risk] = "medium"
    intent: Literal["restart"] = "restart"
    what: str


class Which(Step):
    intent: Literal["which"] = "which"


Steps = Restart | Which


def one(folder: Path, point: Point) -> Scenario:
    """A single run, after an approval."""
    return _scenario(folder, point, Restart(what="api"))


def two_at_once(folder: Path, point: Point) -> Scenario:
    return _scenario(folder, point, Restart(what="api"), Restart(what="web"))


def uncounted(folder: Path, point: Point) -> Scenario:
    """What it does is not among its effects."""
    made = _scenario(folder, point, Restart(what="api"))
    return Scenario(made.app, made.launch, made.answer, dict)


def unanswerable(folder: Path, point: Point) -> Scenario:
    """A question, of people who can only approve."""
    return _scenario(folder, point, Which())


def _scenario(folder: Path, point: Point, *steps: Steps) -> Scenario:
    restarted = folder / "restarted"

    def restart(step: Restart) -> str:
        point(f"before {step.what}")
        with restarted.open("a", encoding="utf-8") as file:
            file.write(f"{step.what}\n")
        point(f"after {step.what}")
        return f"{step.what} is restarted"

    def decide(thread: Any, state: Any) -> Any:
        if state.ready:
            return All(*(_carry_out(chosen, restart) for chosen in state.ready))
        if state.waiting or state.finished:
            return Wait()
        return Choose(*steps) if state.by_id("s1") is None else Finish("done")

    def answer(contact: ContactRow) -> Mapping[str, Any]:
        return {"decision": "approve", "by": "anna"}

    async def launch(app: App) -> None:
        await app.launch("bot", "restart", thread_id="t1")

    def effects() -> Mapping[str, int]:
        return Counter(restarted.read_text().split()) if restarted.exists() else {}

    agent = Agent("bot", decide, Steps, owner="olga")
    app = App([agent], store=SqliteStore(folder / "threads.db"))
    return Scenario(app, launch, answer, effects)


def _carry_out(chosen: Any, restart: Any) -> Any:
    match chosen.step:
        case Which() as step:
            return Ask(step, "Which one?", to="anna")
        case step if not chosen.approved:
            return Approve(step, by="anna")
        case step:
            return run(restart, step)
