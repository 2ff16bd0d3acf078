"""How long a tool may take, how often it is tried, and how it learns that it is to stop."""

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crew import (
    PATIENCE_S,
    STORES,
    Gate,
    Look,
    Meddled,
    Pay,
    app_of,
    approved_then,
    ended,
    events,
    pipeline,
    ran_by,
    ref,
    seen,
    settle,
    state,
    status,
    store_of,
    types,
)
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.call import Call
from twelvefold.effects import All, AskModel, Choose, run
from twelvefold.exceptions import NothingHappened, StoreFull
from twelvefold.failures import is_transient
from twelvefold.loop import Bell, Surroundings, Watch, advance
from twelvefold.loop.undisturbed import undisturbed
from twelvefold.plan.options import ATTEMPTS_MAX

pytestmark = pytest.mark.anyio

SOON_S = 0.02
"""A timeout that is to be reached."""


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


async def hang(_: Any) -> None:
    await asyncio.Event().wait()


class Held:
    """A sync tool that goes on until it is let go."""

    def __init__(self, result: Any = "late") -> None:
        self.result = result
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.calls: list[Any] = []

    def __call__(self, step: Any, call: Call[None]) -> Any:
        self.calls.append(call)
        self.begun.set()
        self.let_go.wait(PATIENCE_S)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, PATIENCE_S)


async def launched(app: Any) -> None:
    await app.launch("crew", "go", thread_id="t")


async def ran(store: Any, tool: Any, *, step: Any = None, **options: Any) -> Any:
    """One step carried out by `tool`, approved where it must be."""
    step = Look() if step is None else step
    carry_out = approved_then if isinstance(step, Pay) else ran_by
    app = app_of(pipeline(step, carry_out=carry_out(tool, **options)), store)
    await launched(app)
    await settle(app)
    if isinstance(step, Pay):
        await app.answer("t.s1.1", "approve", by="anna")
        await settle(app)
    return app


# Time


async def test_an_async_tool_that_takes_too_long_is_cancelled_and_has_failed(store):
    app = await ran(store, hang, timeout_s=SOON_S)

    [failed] = events(app, "tool_failed")
    assert failed.data["error"] == f"TimeoutError: hang did not end within {SOON_S} s"
    assert status(app) == "finished"


async def test_a_risky_tool_that_takes_too_long_leaves_its_outcome_unknown(store):
    app = await ran(store, hang, step=Pay(to="x"), timeout_s=SOON_S)

    assert types(app)[-2:] == ["tool_outcome_unknown", "contact_requested"]
    assert [row.data["to"]["people"] for row in app.inbox()] == [["olga"]]


async def test_a_risky_tool_that_may_be_repeated_has_failed_by_its_timeout(store):
    app = await ran(store, hang, step=Pay(to="x"), timeout_s=SOON_S, retry_safe=True)

    assert "did not end" in events(app, "tool_failed")[0].data["error"]


async def test_a_sync_tool_goes_on_and_its_late_outcome_is_kept(store):
    held = Held()
    app = await ran(store, held, timeout_s=SOON_S)
    [failed] = events(app, "tool_failed")
    assert failed.data["error"].endswith("; it goes on in its thread")
    assert held.calls[0].cancelled.is_set()

    held.let_go.set()
    late = await seen(app, "t", "tool_returned")

    assert (late.key, late.data["result"]) == ("late:outcome:s1:1", "late")
    assert state(app).by_id("s1").status == "failed"


@pytest.mark.parametrize("result", ["paid", NothingHappened("no money")])
async def test_a_late_outcome_settles_a_risky_step_that_nobody_has_settled(store, result):
    held = Held(result)
    app = await ran(store, held, step=Pay(to="x"), timeout_s=SOON_S)
    assert state(app).by_id("s1").status == "unknown"

    held.let_go.set()
    await seen(app, "t", "tool_returned" if result == "paid" else "tool_failed")
    await settle(app)

    assert (status(app), app.inbox()) == ("finished", [])
    assert state(app).by_id("s1").result == ("paid" if result == "paid" else None)


async def test_a_late_outcome_is_kept_even_when_a_person_was_faster(store):
    held = Held("paid after all")
    app = await ran(store, held, step=Pay(to="x"), timeout_s=SOON_S)
    await app.answer("t.s1.2", "give_up", by="olga")
    held.let_go.set()

    await seen(app, "t", "tool_returned")
    await settle(app)

    assert (state(app).by_id("s1").status, status(app)) == ("failed", "finished")


async def test_what_reconcile_denied_and_the_thread_brings_later_is_not_lost(store):
    held = Held("paid after all")

    def reconcile(_: Any) -> None:
        raise NothingHappened("no trace of it")

    async def pay(step: Pay, call: Call[None]) -> Any:
        await again.wait()

    again = asyncio.Event()

    def paying(chosen: Any) -> Any:
        first = chosen.attempts == 0 or chosen.status == "unknown"
        options = {"timeout_s": SOON_S, "reconcile": reconcile} if first else {}
        return approved_then(held if first else pay, **options)(chosen)

    app = app_of(pipeline(Pay(to="x"), carry_out=paying), store)
    await launched(app)
    await settle(app)
    await app.answer("t.s1.1", "approve", by="anna")
    running = asyncio.create_task(settle(app))
    await seen(app, "t", "tool_failed")
    held.let_go.set()

    late = await seen(app, "t", "tool_returned")
    again.set()
    await running

    assert late.data["result"] == "paid after all"
    assert (late.key or "").startswith("late:late:")


async def test_a_reconcile_that_always_says_no_does_not_run_the_tool_for_ever(store):
    def reconcile(_: Any) -> None:
        raise NothingHappened("no trace of it")

    app = await ran(store, hang, step=Pay(to="x"), timeout_s=0.001, reconcile=reconcile)

    assert len(events(app, "tool_started")) == ATTEMPTS_MAX
    assert [row.data["to"]["people"] for row in app.inbox()] == [["olga"]]


async def test_what_a_tool_returns_when_it_is_cancelled_is_its_outcome(store):
    async def tidy(_: Any) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "half of it"
        return "all of it"

    app = await ran(store, tidy, timeout_s=SOON_S)

    assert events(app, "tool_returned")[0].data["result"] == "half of it"


async def test_a_timeout_of_the_tools_own_keeps_its_words(store):
    async def own(_: Any) -> None:
        raise TimeoutError("the bank is slow")

    app = await ran(store, own, timeout_s=PATIENCE_S)

    assert events(app, "tool_failed")[0].data["error"] == "TimeoutError: the bank is slow"


async def test_a_tool_knows_its_deadline(store):
    calls = []
    app = await ran(store, lambda _, call: calls.append(call), timeout_s=60)
    [started] = events(app, "tool_started")

    assert timedelta(0) < calls[0].deadline - started.at < timedelta(seconds=120)
    assert calls[0].deadline > datetime.now(UTC)


async def test_an_outcome_in_time_is_not_late_whatever_the_thread_does(store):
    app = await ran(store, lambda _: "in time", timeout_s=PATIENCE_S)

    assert events(app, "tool_returned")[0].key == "outcome:s1:1"
    assert status(app) == "finished"


async def test_a_late_coroutine_has_done_nothing_and_says_nothing(store):
    held = Held()
    held.result = hang(None)
    app = await ran(store, held, timeout_s=SOON_S)
    held.let_go.set()
    await asyncio.to_thread(join, "twelvefold-Held-s1")

    assert types(app).count("tool_returned") == 0


# Tries


async def test_errors_that_pass_are_tried_again_with_the_same_key(store):
    calls = []

    async def flaky(_: Any, call: Call[None]) -> str:
        calls.append(call)
        if len(calls) < 3:
            raise ConnectionResetError("gone")
        return "there"

    app = await ran(store, flaky, retry_safe=True, attempts=3)

    assert {call.key for call in calls} == {"default/t/s1"}
    assert [(call.attempt, call.tries) for call in calls] == [(1, 1), (1, 2), (1, 3)]
    [returned] = events(app, "tool_returned")
    assert (returned.data["result"], returned.data["tries"]) == ("there", 3)
    assert len(events(app, "tool_started")) == 1


async def test_the_last_error_counts_when_no_try_is_left(store):
    def flaky(_: Any) -> None:
        raise ConnectionError("no route")

    app = await ran(store, flaky, retry_safe=True, attempts=2)

    [failed] = events(app, "tool_failed")
    assert failed.data["error"] == "ConnectionError: no route"
    assert failed.data["tries"] == 2


@pytest.mark.parametrize("error", [ValueError("wrong"), NothingHappened("no"), FileNotFoundError()])
async def test_what_does_not_pass_by_itself_is_tried_once(store, error):
    def wrong(_: Any) -> None:
        raise error

    app = await ran(store, wrong, retry_safe=True, attempts=3)

    assert "tries" not in events(app, "tool_failed")[0].data


async def test_a_tool_may_say_itself_what_passes(store):
    tried = []

    def busy(_: Any) -> str:
        tried.append(1)
        if len(tried) == 1:
            raise ValueError("429")
        return "done"

    def transient(error: BaseException) -> bool:
        return "429" in str(error)

    app = await ran(store, busy, retry_safe=True, attempts=2, transient=transient)

    assert events(app, "tool_returned")[0].data["tries"] == 2


async def test_all_tries_share_one_deadline(store):
    def flaky(_: Any) -> None:
        raise ConnectionError("no route")

    app = await ran(store, flaky, retry_safe=True, attempts=ATTEMPTS_MAX, timeout_s=0.15)

    [failed] = events(app, "tool_failed")  # no pause that would end after the deadline is begun
    assert failed.data["error"] == "ConnectionError: no route"
    assert failed.data["tries"] < ATTEMPTS_MAX


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (OSError(101, "Network is unreachable"), True),
        (PermissionError(13, "denied"), False),
        (KeyError("x"), False),
        (NothingHappened("no"), False),
    ],
)
def test_connections_and_times_pass_by_themselves_and_nothing_else(error, passes):
    assert is_transient(error) is passes


def test_what_is_behind_an_error_counts_unless_it_was_hidden():
    def wrapped(how: str) -> Exception:
        try:
            try:
                raise ConnectionError
            except ConnectionError as error:
                if how == "from":
                    raise ValueError("wrapped") from error
                if how == "hidden":
                    raise ValueError("wrapped") from None
                raise ValueError("wrapped")  # noqa: B904
        except ValueError as error:
            return error

    assert [is_transient(wrapped(how)) for how in ("from", "while", "hidden")] == [
        True,
        True,
        False,
    ]
    loop = ValueError()
    loop.__cause__ = loop
    assert not is_transient(loop)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"attempts": 3}, "add retry_safe=True"),
        ({"attempts": 0, "retry_safe": True}, "between 1 and"),
        ({"attempts": ATTEMPTS_MAX + 1, "retry_safe": True}, "ATTEMPTS_MAX"),
        ({"timeout_s": 0}, "more than 0"),
        ({"timeout_s": -1}, "more than 0"),
        ({"timeout_s": float("nan")}, "more than 0"),
        ({"timeout_s": float("inf")}, "TIMEOUT_S_MAX"),
    ],
)
async def test_options_that_cannot_be_meant_park_the_thread_before_anything_runs(
    store, options, words
):
    called = []
    app = await ran(store, called.append, **options)

    assert types(app)[-1] == "advance_failed"
    assert words in events(app, "advance_failed")[0].data["error"]
    assert called == []


# Stopping


async def test_a_lone_tool_learns_at_once_that_its_thread_was_cancelled(store):
    async def tool(_: Any, call: Call[None]) -> str:
        begun.set()
        await call.cancelled.wait()
        return "stopped early"

    begun = asyncio.Event()
    app = app_of(pipeline(Look(), carry_out=ran_by(tool)), store)
    await launched(app)
    running = asyncio.create_task(settle(app))
    await begun.wait()
    await app.cancel("t", reason="enough")
    await running

    assert events(app, "tool_returned")[0].data["result"] == "stopped early"
    assert status(app) == "cancelled"


async def test_a_sync_tool_learns_it_too_and_side_by_side_tools_as_well(store):
    both = threading.Barrier(3, timeout=PATIENCE_S)

    def tool(_: Any, call: Call[None]) -> str:
        both.wait()
        while not call.cancelled.is_set():
            threading.Event().wait(0.001)
        return "stopped early"

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(tool)), store)
    await launched(app)
    running = asyncio.create_task(settle(app))
    await asyncio.to_thread(both.wait)
    await app.cancel("t")
    await running

    assert [e.data["result"] for e in events(app, "tool_returned")] == ["stopped early"] * 2


async def test_a_message_is_no_reason_to_stop(store):
    gate = Gate()
    calls = []

    async def tool(step: Any, call: Call[None]) -> Any:
        calls.append(call)
        return await gate(step, call)

    app = app_of(pipeline(Look(), carry_out=ran_by(tool)), store)
    await launched(app)
    running = asyncio.create_task(settle(app))
    await gate.has_begun()
    await app.send("t", "hurry")
    gate.let_go.set()
    await running

    assert not calls[0].cancelled.is_set()


@pytest.mark.parametrize("count", [1, 2])
async def test_a_stopped_engine_lets_its_tools_end_one_or_many(store, count):
    gates = [Gate(f"done {n}") for n in range(count)]
    told = []

    async def tool(step: Look, call: Call[None]) -> Any:
        gate = gates[int(step.at)]
        gate.begun.set()
        await call.cancelled.wait()
        told.append(step.at)
        return await gate(step, call)

    steps = [Look(at=str(n)) for n in range(count)]
    app = app_of(pipeline(*steps, carry_out=ran_by(tool)), store)
    await launched(app)
    running = asyncio.create_task(app.run())
    for gate in gates:
        await gate.has_begun()
    running.cancel()
    for gate in gates:
        gate.let_go.set()
    await asyncio.gather(running, return_exceptions=True)

    assert (len(told), len(events(app, "tool_returned"))) == (count, count)
    assert store.woken()  # what follows is for the next process
    await settle(app_of(pipeline(*steps, carry_out=ran_by(tool)), store))
    assert status(app) == "finished"


@pytest.mark.parametrize("count", [1, 2])
async def test_after_the_grace_tools_are_cancelled_and_what_they_bring_is_recorded(store, count):
    begun = [asyncio.Event() for _ in range(count)]

    async def tidy(step: Look) -> str:
        begun[int(step.at)].set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "put away"
        return "never"

    steps = [Look(at=str(n)) for n in range(count)]
    app = app_of(pipeline(*steps, carry_out=ran_by(tidy)), store, stop_grace_s=SOON_S)
    await launched(app)
    running = asyncio.create_task(app.run())
    for event in begun:
        await event.wait()
    await ended(running)

    assert [e.data["result"] for e in events(app, "tool_returned")] == ["put away"] * count


@pytest.mark.parametrize("count", [1, 2])
async def test_a_tool_that_ends_without_an_outcome_is_an_orphan_for_the_next_process(store, count):
    begun = [asyncio.Event() for _ in range(count)]

    async def cut(step: Look) -> None:
        begun[int(step.at)].set()
        await asyncio.Event().wait()

    steps = [Look(at=str(n)) for n in range(count)]
    app = app_of(pipeline(*steps, carry_out=ran_by(cut)), store, stop_grace_s=SOON_S)
    await launched(app)
    running = asyncio.create_task(app.run())
    for event in begun:
        await event.wait()
    await ended(running)
    assert types(app)[-count:] == ["tool_started"] * count

    await settle(app_of(pipeline(*steps, carry_out=ran_by(lambda _: "x", retry_safe=True)), store))
    assert status(app) == "finished"


async def test_a_thread_that_outlives_its_engine_records_its_outcome_itself(store):
    held = Held("done")
    app = app_of(pipeline(Look(), carry_out=ran_by(held)), store, stop_grace_s=SOON_S)
    await launched(app)
    running = asyncio.create_task(app.run())
    await held.has_begun()
    await ended(running)
    assert types(app)[-1] == "tool_started"

    held.let_go.set()
    returned = await seen(app, "t", "tool_returned")

    assert returned.key == "outcome:s1:1"
    await settle(app)
    assert status(app) == "finished"


@pytest.mark.parametrize("alone", [True, False])
async def test_a_model_call_has_no_effect_to_wait_for(store, alone):
    thinking = asyncio.Event()
    begun = asyncio.Event()

    async def model(_: Any) -> Any:
        thinking.set()
        await asyncio.Event().wait()

    async def tool(_: Any, call: Call[None]) -> str:
        begun.set()
        await call.cancelled.wait()
        return "seen"

    def decide(_: Any, state: Any) -> Any:
        if state.by_id("s1") is None and not alone:
            return Choose(Look())
        ask = AskModel("go", Look, while_waiting=True)
        return All(ask, *(run(tool, chosen.step) for chosen in state.ready))

    app = App([Agent("crew", decide, Look, owner="olga")], store=store, model=model)
    await launched(app)
    running = asyncio.create_task(app.run())
    await thinking.wait()
    if not alone:
        await begun.wait()
    await ended(running)

    assert types(app)[1:] == (
        [] if alone else ["next_step_chosen", "tool_started", "tool_returned"]
    )


async def test_an_advance_that_is_cancelled_cancels_its_tool_and_keeps_what_that_brings(store):
    begun = asyncio.Event()

    async def tidy(_: Any) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "put away"
        return "never"

    app = app_of(pipeline(Look(), carry_out=ran_by(tidy)), store)
    await launched(app)
    running = asyncio.create_task(advance(ref(), app.surroundings))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert types(app)[-1] == "tool_returned"  # and nothing was decided after it


async def test_while_tries_pause_a_stop_ends_them(store):
    tried = asyncio.Event()

    async def flaky(_: Any) -> None:
        tried.set()
        raise ConnectionError("no route")

    app = app_of(
        pipeline(Look(), carry_out=ran_by(flaky, retry_safe=True, attempts=ATTEMPTS_MAX)), store
    )
    await launched(app)
    running = asyncio.create_task(app.run())
    await tried.wait()
    await ended(running)

    [failed] = events(app, "tool_failed")
    assert failed.data.get("tries", 1) < ATTEMPTS_MAX


@pytest.mark.parametrize("kind", ["tool", "model"])
async def test_a_stop_during_the_commit_begins_only_what_the_log_says_has_begun(store, kind):
    called = []
    bell = Bell()

    async def ring() -> None:
        bell.stop()

    async def model(_: Any) -> Any:
        called.append("model")

    def tool(_: Any, call: Call[None]) -> bool:
        called.append("tool")
        return call.cancelled.is_set()

    def decide(_: Any, state: Any) -> Any:
        if state.by_id("s1") is None:
            return Choose(Look())
        if kind == "tool" and state.ready:
            return run(tool, state.ready[0].step)
        return AskModel("go", Look, while_waiting=True)

    agent = Agent("crew", decide, Look, owner="olga")
    app = App([agent], store=store, model=model)
    await launched(app)
    before = "tool_started" if kind == "tool" else "next_step_chosen"
    around = App([agent], store=Meddled(store, before, ring), model=model).surroundings
    await advance(ref(), around, bell=bell)

    assert called == (["tool"] if kind == "tool" else [])
    assert [e.data["result"] for e in events(app, "tool_returned")] == [True] * len(called)


# What cannot be recorded


async def test_a_late_outcome_that_no_store_takes_is_said_in_the_log(store, caplog):
    class Closed:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def commit_now(self, *_: Any, **__: Any) -> Any:
            raise StoreFull("the disk is full")

    held = Held("late")
    app = await ran(Closed(), held, timeout_s=SOON_S)
    held.let_go.set()
    await asyncio.to_thread(join, "twelvefold-Held-s1")

    assert "t: the late outcome of s1 could not be recorded: StoreFull" in caplog.text
    assert status(app) == "finished"


async def test_what_is_undisturbed_still_raises():
    async def fails() -> None:
        await asyncio.sleep(0)
        raise StoreFull("the disk is full")

    with pytest.raises(StoreFull):
        await undisturbed(fails())


def join(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(PATIENCE_S)


# By hand


async def test_a_call_made_by_hand_has_all_that_a_test_needs():
    call = Call("k", 1, "default", "t", None)

    assert (call.deadline, call.tries, call.cancelled.is_set()) == (None, 1, False)
    assert call.attach(b"abc", "text/plain").size == 3
    with pytest.raises(NothingHappened, match="no secrets="):
        call.secret("github")
    with pytest.raises(RuntimeError, match="by hand"):
        await call.cancelled.wait()


# The watch


async def test_an_async_tool_that_holds_up_the_loop_is_named_once_and_loses_nothing(store, caplog):
    async def blocks(_: Any) -> str:
        await asyncio.sleep(0)
        return "done"

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(blocks)), store)
    await launched(app)
    around = Surroundings(app.agents, store, {}, watch=Watch(blocked_s=-1.0))
    with caplog.at_level(logging.WARNING, "twelvefold"):
        await advance(ref(), around)

    [warning] = [record.getMessage() for record in caplog.records]
    assert warning.startswith("t: the async tool blocks blocked the event loop")
    assert [e.data["result"] for e in events(app, "tool_returned")] == ["done", "done"]
    assert status(app) == "finished"


async def test_a_tool_that_does_not_hold_up_the_loop_is_not_named(store, caplog):
    async def waits(_: Any) -> str:
        await asyncio.sleep(0.001)
        return "done"

    app = await ran(store, waits)

    assert status(app) == "finished"
    assert "blocked" not in caplog.text


async def test_errors_and_cancellations_reach_a_watched_tool(store):
    async def picky(_: Any) -> str:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), SOON_S)
        except TimeoutError:
            return "noticed"
        return "never"

    app = await ran(store, picky)

    assert events(app, "tool_returned")[0].data["result"] == "noticed"
