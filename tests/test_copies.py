"""Imported and edited threads in a running application, on both stores."""

import random
from pathlib import Path
from typing import Any

import pytest

from crew import (
    STORES,
    Clock,
    Done,
    Errand,
    Look,
    Nap,
    Pay,
    app_of,
    approved_then,
    chat,
    events,
    pipeline,
    ran_by,
    settle,
    status,
    store_of,
    types,
)
from histories import history
from small import AGENT, HOUR
from twelvefold.app import App, SyncApp
from twelvefold.effects import Delegate, Sleep
from twelvefold.exceptions import ConfigurationError, Conflict, InvalidFile
from twelvefold.files import import_thread
from twelvefold.testing import START, put

pytestmark = pytest.mark.anyio

HISTORIES, MOVES = 60, 40


@pytest.fixture(params=STORES)
def there(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A store on another machine."""
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def here(tmp_path: Path) -> Any:
    (tmp_path / "here").mkdir()
    store = store_of("sqlite", tmp_path / "here")
    yield store
    store.close()


async def moved(agents: Any, here: Any, there: Any, **options: Any) -> App:
    """A thread begun here, exported at rest, and imported there."""
    first = app_of(agents, here, **options)
    await first.launch("crew", "go", thread_id="t")
    await settle(first)
    app = app_of(agents, there, **options)
    assert await app.import_thread(first.thread("t").to_jsonl()) == "t"
    return app


async def test_what_was_approved_here_is_asked_again_there_and_runs_once(here: Any, there: Any):
    paid: list[str] = []
    agent = pipeline(Pay(to="x"), carry_out=approved_then(lambda step: paid.append(step.to)))
    app = await moved(agent, here, there)
    await settle(app)

    with pytest.raises(Conflict, match="already voided"):
        await app.answer("t.s1.1", "approve", by="anna")
    await app.answer("t.s1.2", "approve", by="anna")
    await settle(app)

    assert (paid, status(app)) == (["x"], "finished")


async def test_a_timer_is_set_anew_and_fires_there(here: Any, there: Any):
    clock = Clock()
    agent = pipeline(Nap(), carry_out=lambda c: Sleep(c.step, c.at + HOUR))
    app = await moved(agent, here, there, clock=clock)
    assert there.next_due() is None

    await settle(app)
    clock.forward(2 * HOUR)
    await settle(app)

    assert len(events(app, "timer_set")) == 2
    assert status(app) == "finished"


async def test_a_child_is_launched_anew_and_reports_there(here: Any, there: Any):
    crew = pipeline(Errand(), carry_out=lambda c: Delegate(c.step, "boy", c.step.task))
    boy = pipeline(Pay(to="x"), carry_out=approved_then(lambda step: "paid"), name="boy")
    app = await moved([crew, boy], here, there)
    await settle(app)
    await app.answer("t.s1.s1.1", "approve", by="anna")
    await settle(app)

    assert (status(app), status(app, "t.s1")) == ("finished", "finished")


async def test_a_child_imported_alone_finishes_and_tells_nobody(here: Any, there: Any):
    crew = pipeline(Errand(), carry_out=lambda c: Delegate(c.step, "boy", c.step.task))
    boy = chat(ran_by(lambda step: "seen"), name="boy")
    first = app_of([crew, boy], here, lambda request: Done())
    await first.launch("crew", "go", thread_id="t")
    await settle(first)
    text = first.thread("t.s1").to_jsonl()

    app = app_of([crew, boy], there, lambda request: Done())
    with pytest.raises(InvalidFile, match="id of its own"):
        await app.import_thread(text)
    assert await app.import_thread(text, new_id="alone") == "alone"
    await app.send("alone", "again")
    engine = await settle(app)

    assert (status(app, "alone"), engine.errors) == ("finished", {})


async def test_an_import_under_an_id_that_is_taken_changes_nothing(there: Any):
    app = app_of(pipeline(Look(), carry_out=ran_by(lambda step: 1)), there)
    await app.launch("crew", "go", thread_id="t")
    text = app.thread("t").to_jsonl()

    with pytest.raises(Conflict, match="t is another thread already"):
        await app.import_thread(text)
    with pytest.raises(ConfigurationError, match="cannot name a thread"):
        await app.import_thread(text, new_id="a.b")
    assert types(app) == ["message_received"]


def test_copies_are_made_without_an_event_loop_too(there: Any):
    app = SyncApp(app_of(pipeline(Look(), carry_out=ran_by(lambda step: 1)), there))
    app.launch("crew", "go", thread_id="t")

    assert app.import_thread(app.app.thread("t").to_jsonl(), new_id="copy") == "copy"
    assert app.fork("copy", 1, new_id="again", edits={1: {"text": "stop"}}) == "again"
    assert app.app.thread("again").events[0].data == {"text": "stop"}
    with pytest.raises(InvalidFile, match="has events 1 to 2"):
        app.fork("copy", new_id="third", edits={7: {}})


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_nothing_that_was_open_in_any_history_is_open_after_its_import(seed: int):
    thread = history(random.Random(seed).choices(range(1000), k=MOVES))

    new, drafts = import_thread(thread.to_jsonl(), now=START + HOUR)
    copy = new.grown([draft.event(n) for n, draft in enumerate(drafts, 1)])

    before, after = AGENT.state(thread), AGENT.state(copy)
    assert [c.id for c in after.ready] == [c.id for c in before.open]
    assert not any(c.approved for c in after.open)
    assert (after.waiting, after.open_contacts) == (False, {})
    assert after.unread == before.unread
    assert (after.paused, after.cancelled) == (before.paused, before.cancelled)


@pytest.mark.parametrize("seed", range(10))
def test_a_log_put_into_a_store_is_what_had_grown_there(seed: int, there: Any):
    thread = history(random.Random(seed).choices(range(1000), k=MOVES))

    put(there, thread)

    assert there.load(thread.id) == thread
    assert [row.id for row in there.contacts()] == list(AGENT.state(thread).open_contacts)
    waits = [c for c in AGENT.state(thread).open if (c.waiting or "").startswith("timer:")]
    keys = {due.key for due in there.due(START + 1000 * HOUR)}
    assert {f"sleep:{c.id}" for c in waits} <= keys
