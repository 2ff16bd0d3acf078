"""One case per golden log: how it was recorded, and what people do once it is resumed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loading import app_of, example

from golden.agents import Effects, agents, model
from twelvefold import App
from twelvefold.files import read_lines
from twelvefold.loop import advance
from twelvefold.store import ContactRow, EmbeddedStore, Ref
from twelvefold.thread import Thread

GOLDEN = Path(__file__).parent
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ROUNDS_MAX = 20


class Ticking:
    """A clock that goes on by a second each time it is read."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


Build = Callable[..., App]
Doing = Callable[[App], Awaitable[object]]


def crew(store: EmbeddedStore, clock: Ticking, effects: Effects, *, before: bool = False) -> App:
    return App(agents(effects, before=before), store=store, model=model, clock=clock)


def pipeline(
    store: EmbeddedStore, clock: Ticking, effects: Effects, *, before: bool = False
) -> App:
    return app_of(example("release_pipeline"), deps=Cluster(effects), store=store, clock=clock)


def calculator(
    store: EmbeddedStore, clock: Ticking, effects: Effects, *, before: bool = False
) -> App:
    return app_of(example("calculator"), store=store, clock=clock)


class Cluster:
    """The cluster of the release pipeline, in memory."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects

    def deploy(self, what: str, tag: str, *, key: str) -> str:
        self.effects.append(key)
        return f"{tag} is deployed"

    def e2e(self, environment: str) -> str:
        return "42 passed"


async def settle(app: App) -> None:
    await app.run(until_idle=True)


def said(**answer: Any) -> Doing:
    """The first open contact is answered, and nothing runs after it."""

    async def doing(app: App) -> None:
        row = app.inbox()[0]
        await app.answer(f"{row.ref.id}.{row.id}", **({"by": "anna"} | answer))

    return doing


def then(verb: str, *arguments: Any, **options: Any) -> Doing:
    """A verb of the application, on the thread `t`."""
    return lambda app: getattr(app, verb)("t", *arguments, **options)


def sleep_over(app: App) -> Awaitable[None]:
    app.clock.now += timedelta(hours=2)  # pyright: ignore
    return settle(app)


def usual(row: ContactRow) -> Mapping[str, Any]:
    """What people say when a golden thread asks them."""
    match row.data["kind"]:
        case "approval":
            return {"decision": "approve", "by": "anna"}
        case "question":
            return {"decision": "answer", "by": "anna", "value": "the second one"}
        case "outcome":
            return {"decision": "it_ran", "by": "olga", "value": "10 euros are paid"}
        case _:
            return {"decision": "edit", "by": "olga", "changes": {"new_name": "x"}}


@dataclass(frozen=True, slots=True)
class Case:
    """`says` begins the thread; `recorded` is what then happens, up to the golden moment.

    `before`: it was recorded by code that has changed since. `cut`: the process was killed at the
    last event of this type. `first`: what is done once the log is resumed. `effects`: what takes
    place after that, by the ending of its key.
    """

    says: str
    recorded: tuple[Doing, ...] = (settle,)
    first: tuple[Doing, ...] = ()
    effects: tuple[str, ...] = ()
    build: Build = crew
    agent: str = "crew"
    before: bool = False
    cut: str | None = None
    statuses: Mapping[str, str] = field(default_factory=lambda: {"t": "finished"})


async def as_today(app: App) -> None:
    """The code is changed while the thread waits, and its new version looks at it."""
    today = crew(app.store, app.clock, [])  # pyright: ignore
    await advance(Ref("default", "t"), today.surroundings)


YES, NO = said(decision="approve"), said(decision="deny", comment="not v1, v2")
EDIT = said(decision="edit", changes={"tag": "v9"})
BACKEND_FIRST = said(decision="deny", comment="can you deploy the backend first?")
FAMILY = {"t": "finished", "t.s1": "finished"}
RELEASE = "deploy SHA 4af9ec0 to production"

CASES: Mapping[str, Case] = {
    "approval-open": Case("deploy:v1", effects=("t/s1",)),
    "approval-voted-not-run": Case("deploy:v1", (settle, YES), effects=("t/s1",)),
    "approval-edited-not-run": Case("deploy:v1", (settle, EDIT), effects=("t/s2",)),
    "approval-denied-then-asked-again": Case(
        "deploy:v1 deploy:v2", (settle, NO, settle), effects=("t/s2",)
    ),
    "question-open": Case("question:tag look", effects=("t/s2",)),
    "timer-set": Case("nap:60 look", first=(settle, sleep_over), effects=("t/s2",)),
    "signal-awaited": Case("merge look", first=(then("signal", "merged", 7),), effects=("t/s2",)),
    "child-waiting-for-a-human": Case("hand:deploy:v3", effects=("t.s1/s1",), statuses=FAMILY),
    "child-asking-a-question": Case(
        "hand:question:tag+look", effects=("t.s1/s2",), statuses=FAMILY
    ),
    "unknown-outcome-waiting": Case(
        "pay:10 look", (settle, YES, settle), before=True, effects=("t/s2",)
    ),
    "killed-in-a-retry-safe-run": Case("look", cut="tool_started", effects=("t/s1",)),
    "killed-in-an-approved-run": Case("pay:10", (settle, YES, settle), cut="tool_started"),
    "killed-before-the-model-call": Case("look", (), effects=("t/s1",)),
    "model-failed-once": Case("stumble deploy:v1", effects=("t/s1",)),
    "paused": Case(
        "deploy:v1", (settle, then("pause", by="olga")), (then("resume", by="olga"),),
        effects=("t/s1",),
    ),
    "limited": Case(
        "look look look", first=(settle, then("resume", by="olga")), agent="frugal",
        effects=("t/s3",),
    ),
    "failed": Case("look break", first=(then("retry", by="olga"),), before=True),
    "finished": Case("look", first=(then("send", "look"),), effects=("t/s3",)),
    "cancelled": Case(
        "deploy:v1", (settle, then("cancel", by="olga")), statuses={"t": "cancelled"}
    ),
    "message-unread": Case("deploy:v1", (settle, then("send", "look")), effects=("t/s1", "t/s2")),
    "repair-open": Case(
        "rename:x look look", (settle, as_today), before=True, effects=("t/s2", "t/s3")
    ),
    "shape-changed-while-asked": Case("rename:x look look", before=True, effects=("t/s2", "t/s3")),
    "pipeline-backend-asked": Case(
        RELEASE, (settle, BACKEND_FIRST, settle),
        build=pipeline, agent="release", effects=("t/s4", "t/s5"),
    ),
    "calculator-division-asked": Case(
        "multiply 3 and 4, then divide the result by 2 and then add 12",
        build=calculator, agent="calculator",
    ),
}  # fmt: skip


async def record(case: Case, store: EmbeddedStore) -> list[Thread]:
    """Play the case up to its golden moment; the family's logs, the root first."""
    app = case.build(store, Ticking(), [], before=case.before)
    await app.launch(case.agent, case.says, thread_id="t")
    for doing in case.recorded:
        await doing(app)
    threads = [store.load(row.ref.id) for row in reversed(store.threads())]
    return threads if case.cut is None else [cut_at(thread, case.cut) for thread in threads]


def cut_at(thread: Thread, type: str) -> Thread:
    return thread.upto(max(event.seq for event in thread.events if event.type == type))


async def finish(case: Case, app: App) -> None:
    """Resume, and answer whatever is asked until nothing is."""
    for doing in case.first:
        await doing(app)
    for _ in range(ROUNDS_MAX):
        await settle(app)
        rows = app.inbox()
        if not rows:
            return
        for row in rows:
            await app.answer(f"{row.ref.id}.{row.id}", **usual(row))
    raise AssertionError("it asks for ever")


def golden(path: Path) -> list[Thread]:
    """The threads of a golden file, which holds a family one after the other."""
    families: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        name = line.partition('"thread":"')[2].partition('"')[0]
        families.setdefault(name, []).append(line)
    return [read_lines("".join(lines)) for lines in families.values()]
