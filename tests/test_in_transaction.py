"""Tools that run inside a transaction of the store: what they write commits with their outcome."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from crew import (
    PATIENCE_S,
    Look,
    Pay,
    app_of,
    approved_then,
    events,
    pipeline,
    ran_by,
    ref,
    settle,
    state,
    status,
    types,
)
from twelvefold.app import App
from twelvefold.call import Call
from twelvefold.effects import Choose, Finish, Wait, run
from twelvefold.exceptions import ConfigurationError, StoreUnavailable, UnknownAttachment
from twelvefold.loop import advance
from twelvefold.store import Append
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.stores.sqlite.lending import lent
from twelvefold.testing import MemoryStore
from twelvefold.thread import Draft

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "bank.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table payments (key text, payee text)")
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


def payments(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("select key, payee from payments order by rowid").fetchall()


def pay(step: Any, call: Any) -> str:
    payee = getattr(step, "to", "") or step.intent
    call.connection.execute("insert into payments values (?, ?)", (call.key, payee))
    return f"paid {payee}"


def then(error: Exception) -> Any:
    def pay_then_raise(step: Any, call: Any) -> None:
        pay(step, call)
        raise error

    return pay_then_raise


async def finished(tool: Any, store: Any, *steps: Any) -> App:
    steps = steps or (Look(),)
    app = app_of(pipeline(*steps, carry_out=ran_by(tool, in_transaction=True)), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    return app


async def approved(tool: Any, store: Any) -> App:
    """As `finished`, of a step of high risk."""
    agent = pipeline(Pay(to="x"), carry_out=approved_then(tool, in_transaction=True))
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    return app


# What commits


async def test_what_a_tool_wrote_commits_with_what_it_returned(store, path):
    app = await approved(pay, store)

    assert payments(path) == [("default/t/s1", "x")]
    [returned] = events(app, "tool_returned")
    assert returned.data == {"step": "s1", "intent": "pay", "attempt": 1, "result": "paid x"}
    assert [event.data.get("in_transaction") for event in events(app, "tool_started")] == [True]
    assert types(app)[-3:] == ["tool_started", "tool_returned", "finished"]
    assert status(app) == "finished"


async def test_decide_is_asked_once_for_each_outcome(store):
    heads: list[int] = []

    def decide(thread: Any, state: Any) -> Any:
        heads.append(thread.head)
        if state.ready:
            return run(pay, state.ready[0].step, in_transaction=True)
        return Wait() if state.finished else Finish("done") if state.by_id("s1") else Choose(Look())

    agent = pipeline(Look(), carry_out=print)
    app = app_of(type(agent)("crew", decide, Look, owner="olga"), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert sorted(set(heads)) == heads
    assert types(app)[-1] == "finished"


async def test_several_take_turns(store, path):
    steps = [Look(at=str(n)) for n in range(5)]
    app = await finished(pay, store, *steps)

    assert len(payments(path)) == 5
    assert status(app) == "finished"


async def test_other_threads_go_on_when_the_tool_has_ended(store, path):
    app = app_of(pipeline(Look(), Look(), carry_out=ran_by(pay, in_transaction=True)), store)
    for n in range(6):
        await app.launch("crew", "go", thread_id=f"t{n}")
    await settle(app)

    assert len(payments(path)) == 12
    assert {row.status for row in app.threads()} == {"finished"}


async def test_a_tool_runs_in_a_thread_of_its_own(store):
    ran_in: list[threading.Thread] = []

    def look(step: Any, call: Any) -> None:
        ran_in.append(threading.current_thread())

    await finished(look, store)

    assert ran_in[0] is not threading.main_thread()


# What does not


@pytest.mark.parametrize("tool", [then(TimeoutError("no reply")), then(SystemExit(1))])
async def test_what_raises_did_certainly_not_happen_whatever_the_risk(store, path, tool):
    app = await approved(tool, store)

    assert payments(path) == []
    assert len(events(app, "tool_failed")) == 1
    assert events(app, "tool_outcome_unknown") == []
    assert app.inbox() == []


async def test_a_tool_that_commits_by_itself_is_told_and_nothing_is_kept(store, path):
    def meddle(step: Any, call: Any) -> str:
        pay(step, call)
        with suppress(sqlite3.Error):
            call.connection.commit()
        return "paid"

    app = await approved(meddle, store)

    [failed] = events(app, "tool_failed")
    assert "it tried to commit" in failed.data["error"]
    assert payments(path) == []


async def test_a_tool_that_takes_too_long_gives_the_lock_back(store, path):
    class Hasty:
        """The store, with less patience than usual."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def transaction(self) -> Any:
            return lent(str(path), lock_timeout_s=1.0, timeout_s=0.02)

    def dawdle(step: Any, call: Any) -> None:
        pay(step, call)
        while call.connection.in_transaction:
            pass

    app = await approved(dawdle, Hasty())

    [failed] = events(app, "tool_failed")
    assert "held the write lock for more than 0.02 s" in failed.data["error"]
    assert payments(path) == []


async def test_a_lock_that_does_not_come_is_a_failure_of_the_tool(path):
    class Locked(SqliteStore):
        def transaction(self) -> Any:
            raise StoreUnavailable("bank.db is locked")

    store = Locked(path)
    app = await approved(pay, store)

    assert "is locked" in events(app, "tool_failed")[0].data["error"]
    store.close()


async def test_a_result_that_cannot_be_stored_is_kept_with_what_was_written(store, path):
    def strange(step: Any, call: Any) -> Any:
        pay(step, call)
        return object()

    app = await approved(strange, store)

    assert "unstorable" in events(app, "tool_returned")[0].data
    assert len(payments(path)) == 1


async def test_an_attachment_is_kept_with_the_rest(store, path):
    attached: list[Any] = []

    def attach(step: Any, call: Any) -> str:
        attached.append(call.attach(b"a receipt", "text/plain"))
        return pay(step, call)

    await finished(attach, store)

    assert store.kept(attached[0].sha256) == b"a receipt"
    assert len(payments(path)) == 1


async def test_an_attachment_of_a_run_that_failed_is_not_kept(store):
    attached: list[Any] = []

    def attach(step: Any, call: Any) -> None:
        attached.append(call.attach(b"a receipt", "text/plain"))
        raise ValueError("no")

    await finished(attach, store)

    with pytest.raises(UnknownAttachment):
        store.kept(attached[0].sha256)


async def test_something_to_await_is_no_result(store, path):
    async def later() -> None: ...

    def lazy(step: Any, call: Any) -> Any:
        pay(step, call)
        return later()

    app = await approved(lazy, store)

    assert "to await" in events(app, "tool_failed")[0].data["error"]
    assert payments(path) == []


# Cut off


def cut_off(app: App, *, in_transaction: bool = True) -> None:
    """The log of a run whose process was killed, whatever it had written."""
    data = {"step": "s1", "intent": "pay", "tool": "pay", "attempt": 1}
    data |= {"in_transaction": True} if in_transaction else {}
    started = Draft("tool_started", data, app.clock())
    app.store.commit_now(Append("t", [started], wake=True))


async def interrupted(store: Any, **options: Any) -> App:
    agent = pipeline(Pay(to="x"), carry_out=approved_then(pay, in_transaction=True))
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    cut_off(app, **options)
    await settle(app)
    return app


async def test_a_run_that_was_cut_off_is_run_again_without_asking(store, path):
    app = await interrupted(store)

    assert payments(path) == [("default/t/s1", "x")]
    [failed] = events(app, "tool_failed")
    assert failed.data["run_again"]
    assert [event.data["attempt"] for event in events(app, "tool_started")] == [1, 2]
    assert app.inbox() == []
    assert status(app) == "finished"


async def test_a_run_that_had_no_transaction_is_asked_about_although_it_would_have_one_now(
    store, path
):
    app = await interrupted(store, in_transaction=False)

    assert payments(path) == []
    assert [row.data["kind"] for row in app.inbox()] == ["outcome"]


async def test_an_imported_run_may_have_happened_where_it_came_from(store):
    app = await interrupted(store)
    thread = app.thread("t")
    started = next(event.seq for event in thread.events if event.type == "tool_started")
    imported = thread.upto(started).grown(
        [Draft("imported", {"thread": "t"}, app.clock()).event(started + 1)]
    )

    [chosen] = app.agent("crew").state(imported).ready
    assert (chosen.status, chosen.run_again) == ("unknown", False)


async def test_a_run_that_was_given_up_commits_nothing_when_it_thaws(store, path):
    """Frozen before it had the lock, it comes back when the step was done by another."""
    begun, thaw = threading.Event(), threading.Event()

    class Frozen:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def transaction(self) -> Any:
            begun.set()
            assert thaw.wait(PATIENCE_S)
            return store.transaction()

    agent = pipeline(Look(), carry_out=ran_by(pay, in_transaction=True))
    app, frozen = app_of(agent, store), app_of(agent, Frozen())
    await app.launch("crew", "go", thread_id="t")
    first = asyncio.create_task(advance(ref(), frozen.surroundings))
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    await advance(ref(), app.surroundings)
    assert len(payments(path)) == 1

    thaw.set()
    await first

    assert len(payments(path)) == 1
    assert len(events(app, "tool_returned")) == 1
    assert state(app).finished


# What is refused


async def test_call_connection_needs_a_transaction(store):
    agent = pipeline(Look(), carry_out=ran_by(pay))
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    [failed] = events(app, "tool_failed")
    assert failed.data["error"].startswith("ConfigurationError: call.connection is there only")


def test_a_call_that_a_test_made_has_no_connection():
    call: Call[None] = Call("k", 1, "default", "t", None)

    with pytest.raises(ConfigurationError, match="in_transaction=True"):
        _ = call.connection


async def test_a_store_that_shares_no_transaction_parks_the_thread_and_says_so():
    app = await finished(pay, MemoryStore())

    [failed] = events(app, "advance_failed")
    assert "MemoryStore shares no transaction" in failed.data["error"]
    assert events(app, "tool_started") == []
    assert status(app) == "failed"


async def async_tool(step: Any, call: Any) -> None: ...


class AsyncTool:
    async def __call__(self, step: Any, call: Any) -> None: ...


@pytest.mark.parametrize("tool", [async_tool, AsyncTool()])
def test_an_async_tool_would_hold_the_lock_while_it_waits(tool):
    with pytest.raises(ConfigurationError, match="is async"):
        run(tool, Look(), in_transaction=True)


@pytest.mark.parametrize(
    "options",
    [
        {"retry_safe": True},
        {"reconcile": pay},
        {"timeout_s": 1.0},
        {"attempts": 2},
        {"transient": bool},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_repeats_or_reconciles_has_nothing_to_do_in_a_transaction(options):
    with pytest.raises(ConfigurationError, match="goes with ungated= alone"):
        run(pay, Look(), in_transaction=True, **options)
