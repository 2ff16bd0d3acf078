"""The embedded engine: who is advanced, when, and what a dead process left."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crew import (
    PATIENCE_S,
    START,
    STORES,
    Clock,
    Done,
    Errand,
    Gate,
    Look,
    Meddled,
    Nap,
    Pay,
    Question,
    Steps,
    app_of,
    approved_then,
    asking,
    chat,
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
    times,
    types,
)
from twelvefold.agent import Agent
from twelvefold.effects import (
    All,
    Approve,
    Ask,
    Choose,
    Delegate,
    Finish,
    Settle,
    Sleep,
    Wait,
    WaitFor,
)
from twelvefold.engine.embedded import EmbeddedEngine
from twelvefold.exceptions import Conflict, StoreFull, StoreUnavailable, UnknownAgent
from twelvefold.loop import advance
from twelvefold.stores.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


def finishing(name: str = "crew") -> Agent:
    decide = lambda _, state: Wait() if state.finished else Finish("ok")  # noqa: E731
    return Agent(name, decide, Steps, owner="olga")


def within(time: timedelta) -> Any:
    def carry_out(chosen: Any) -> Any:
        if isinstance(chosen.step, Pay):
            return Approve(chosen.step, by="anna", within=time)
        return Ask(chosen.step, "Which?", to="anna", within=time)

    return carry_out


# Who is advanced


async def test_a_wake_left_by_a_killed_process_is_found_at_start(store):
    before = app_of(pipeline(Look(), carry_out=ran_by(lambda _: 1)), store)
    await before.launch("crew", "go", thread_id="t")  # and the process ends here

    after = app_of(pipeline(Look(), carry_out=ran_by(lambda _: 1)), store)
    await settle(after)

    assert (status(after), store.woken()) == ("finished", [])


async def test_a_run_left_by_a_killed_process_is_found_at_start(store):
    gate = Gate()
    agent = pipeline(Look(), carry_out=ran_by(gate, retry_safe=True))
    app = app_of(agent, store, stop_grace_s=0)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(app.run())
    await gate.has_begun()
    await ended(running)
    gate.let_go.set()

    await settle(app_of(agent, store))

    assert (len(gate.keys), status(app)) == (2, "finished")


async def test_the_engine_goes_on_when_the_advance_of_one_thread_raises(store):
    clock = Clock()
    locked = Meddled(store, "next_step_chosen", times(2, StoreUnavailable("locked")))
    bad = pipeline(Look(), carry_out=ran_by(lambda _: 1), name="bad")
    app = app_of([bad, finishing("good")], locked, clock=clock)
    for name in ("bad", "good"):
        await app.launch(name, "go", thread_id=name)
    engine = EmbeddedEngine(app.surroundings, app.store)
    await engine.run(until_idle=True)
    assert (status(app, "bad"), status(app, "good")) == ("running", "finished")
    assert isinstance(engine.errors[ref("bad")], StoreUnavailable)

    await engine.run(until_idle=True)  # not before its time, and then later each time
    clock.forward(timedelta(seconds=1))
    await engine.run(until_idle=True)
    clock.forward(timedelta(seconds=0.3))
    await engine.run(until_idle=True)
    assert status(app, "bad") == "running"
    clock.forward(timedelta(seconds=0.2))
    await engine.run(until_idle=True)
    assert (status(app, "bad"), engine.errors) == ("finished", {})


async def test_something_new_is_a_reason_to_try_a_failing_thread_at_once(store):
    clock = Clock()
    failed, fail_once = asyncio.Event(), times(1, StoreUnavailable("locked"))

    async def before() -> None:
        failed.set()
        await fail_once()

    app = app_of(finishing(), Meddled(store, "finished", before), clock=clock)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(app.run())
    await failed.wait()
    await app.send("t", "more")
    await seen(app, "t", "finished")
    await ended(running)


async def test_a_removed_agent_holds_up_its_own_threads_only(store):
    both = app_of([finishing("old"), finishing("new")], store)
    await both.launch("old", "go", thread_id="a")
    await both.launch("new", "go", thread_id="b")
    without = app_of(finishing("new"), store)

    engine = await settle(without)
    assert (status(without, "a"), status(without, "b")) == ("running", "finished")
    assert isinstance(engine.errors[ref("a")], UnknownAgent)

    await both.send("a", "hello?")
    await settle(without)
    await settle(both)
    assert (status(both, "a"), types(both, "a")[-1]) == ("finished", "finished")


async def test_a_removed_agent_is_said_once_with_the_remedy(store, caplog):
    both = app_of([finishing("old"), finishing("new")], store)
    for name in "abc":
        await both.launch("old", "go", thread_id=name)

    await settle(app_of(finishing("new"), store))

    [said] = [line for line in caplog.messages if "not in App" in line]
    assert "deploy the version with this agent" in said


async def test_only_leaves_other_threads_and_their_timers_alone(store):
    clock = Clock()
    sleepy = pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))
    app = app_of(sleepy, store, clock=clock)
    for tenant, name in (("default", "a"), ("default", "b"), ("acme", "a")):
        await app.launch("crew", "go", thread_id=name, tenant=tenant)
    await settle(app)
    clock.forward(HOUR)

    await app.run(until_idle=True, only="a")

    rows = [store.thread_row("a"), store.thread_row("b"), store.thread_row("a", tenant="acme")]
    assert [row.status for row in rows] == ["finished", "waiting", "waiting"]
    assert [due.ref for due in store.due(clock())] == [ref("a", "acme"), ref("b")]
    await settle(app)
    assert status(app, "b") == "finished"


async def test_a_standby_takes_over_when_the_lock_frees(store):
    app = app_of(pipeline(Question(), carry_out=asking), store)
    standby = app_of(pipeline(Question(), carry_out=asking), store)
    await app.launch("crew", "go", thread_id="t")
    first = asyncio.create_task(app.run())
    await seen(app, "t", "contact_requested")
    second = asyncio.create_task(standby.run())
    refused = EmbeddedEngine(standby.surroundings, standby.store)
    assert await refused.run(wait_for_lock=False) is False

    await ended(first)
    await standby.answer("t.s1.1", "answer", by="anna", value="left")

    assert (await seen(standby, "t", "finished")).seq == standby.thread("t").head
    await ended(second)


async def test_an_engine_that_ended_hears_no_more(store):
    app = app_of(finishing(), store)
    await app.launch("crew", "go", thread_id="t")
    await asyncio.to_thread(lambda: asyncio.run(app.run(until_idle=True)))

    await app.send("t", "again")  # its event loop is closed by now

    assert len(store.woken()) == 1


async def test_a_running_engine_hears_what_another_process_commits(tmp_path):
    stores = [SqliteStore(tmp_path / "agents.db") for _ in range(2)]
    here, there = (app_of(pipeline(Question(), carry_out=asking), store) for store in stores)
    running = asyncio.create_task(here.run())
    await there.launch("crew", "go", thread_id="t")
    await seen(there, "t", "contact_requested")
    await there.answer("t.s1.1", "answer", by="anna", value="left")
    await seen(there, "t", "finished")
    await ended(running)
    for store in stores:
        store.close()


async def test_what_wakes_a_running_engine_is_advanced_at_once(store):
    app = app_of(finishing(), store)
    running = asyncio.create_task(app.run())
    await app.launch("crew", "go", thread_id="t")
    await seen(app, "t", "finished")
    await app.send("t", "more")
    await seen(app, "t", "finished", 2)
    await ended(running)


async def test_a_stopped_engine_brings_home_what_is_in_the_air(store):
    gates = {"a": Gate(), "b": Gate()}

    async def tool(step: Look, call: Any) -> Any:
        return await gates[step.at](step, call)

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(tool)), store)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(app.run())
    for gate in gates.values():
        await gate.has_begun()
    running.cancel()
    for gate in gates.values():
        gate.let_go.set()
    await asyncio.gather(running, return_exceptions=True)

    assert len(events(app, "tool_returned")) == 2


# Time


async def test_a_sleep_ends_when_its_time_has_come(store):
    clock = Clock()
    sleepy = pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))
    app = app_of(sleepy, store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR - timedelta(seconds=1))
    await settle(app)
    assert status(app) == "waiting"

    clock.forward(timedelta(seconds=1))
    await settle(app)
    assert (types(app)[-2:], store.next_due()) == (["timer_fired", "finished"], None)


async def test_a_running_engine_fires_a_timer_when_the_clock_reaches_it(store):
    clock = Clock()
    sleepy = pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))
    app = app_of(sleepy, store, clock=clock)
    running = asyncio.create_task(app.run())
    await app.launch("crew", "go", thread_id="t")
    await seen(app, "t", "timer_set")
    clock.forward(HOUR)
    await seen(app, "t", "finished")
    await ended(running)


async def test_a_deadline_expires_as_a_denial(store):
    clock = Clock()
    app = app_of(pipeline(Pay(to="x"), Question(), carry_out=within(HOUR)), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR)
    await settle(app)

    assert [event.data["outcome"] for event in events(app, "contact_closed")] == ["expired"] * 2
    steps = [state(app).by_id(id) for id in ("s1", "s2")]
    assert [(step.status, step.error) for step in steps] == [
        ("denied", "expired: nobody answered in time")
    ] * 2
    assert status(app) == "finished"


async def test_a_late_answer_is_refused_even_when_the_timer_has_not_fired(store):
    clock = Clock()
    app = app_of(pipeline(Pay(to="x"), carry_out=within(HOUR)), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR + timedelta(seconds=1))

    with pytest.raises(Conflict, match=r"expired at 2026-11-20T10:00:00\.000000Z"):
        await app.answer("t.s1.1", "approve", by="anna")

    assert types(app)[-1] == "answer_refused"
    await settle(app)
    with pytest.raises(Conflict, match="already expired"):
        await app.answer("t.s1.1", "approve", by="anna")
    assert state(app).by_id("s1").status == "denied"


async def test_an_answer_in_time_ends_the_timer(store):
    clock = Clock()
    app = app_of(pipeline(Question(), carry_out=within(HOUR)), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.answer("t.s1.1", "answer", by="anna", value="left")
    await settle(app)

    assert (store.next_due(), status(app)) == (None, "finished")


async def test_a_timer_meets_an_answer_that_was_faster(store):
    clock = Clock()
    app = app_of(pipeline(Question(), carry_out=within(HOUR)), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR)

    async def just_in_time() -> None:
        if state(app).open_contacts:
            await app.answer("t.s1.1", "answer", by="anna", value="left")

    meddled = Meddled(store, "contact_closed", just_in_time)
    await settle(app_of(pipeline(Question(), carry_out=within(HOUR)), meddled, clock=clock))

    assert [event.data["outcome"] for event in events(app, "contact_closed")] == ["answered"]
    assert (state(app).by_id("s1").result, store.next_due()) == ("left", None)


async def test_a_timer_that_something_overtook_is_judged_again(store):
    clock = Clock()
    sleepy = pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))
    app = app_of(sleepy, store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR)

    async def wave() -> None:
        if types(app)[-1] == "timer_set":
            await app.send("t", "hello")

    await settle(app_of(sleepy, Meddled(store, "timer_fired", wave), clock=clock))

    assert types(app)[-3:] == ["message_received", "timer_fired", "finished"]


async def test_a_timer_that_cannot_be_fired_stays_due(store, caplog):
    clock = Clock()
    sleepy = pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))
    app = app_of(sleepy, store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR)

    full = Meddled(store, "timer_fired", times(1, StoreFull("full")))
    await settle(app_of(sleepy, full, clock=clock))
    assert "still due" in caplog.text
    assert len(store.due(clock())) == 1
    await settle(app)
    assert status(app) == "finished"


# Signals and children


async def test_a_signal_ends_the_wait_for_it_and_no_other(store):
    agent = pipeline(
        Look(at="merged"), Look(at="closed"), carry_out=lambda c: WaitFor(c.step, c.step.at)
    )
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.signal("t", "other")
    await app.signal("t", "merged", {"sha": "4af9ec0"}, key="d1")
    await app.signal("t", "merged", {"sha": "another"}, key="d1")
    await settle(app)
    assert [chosen.id for chosen in state(app).open] == ["s2"]
    assert state(app).by_id("s1").result == {"sha": "4af9ec0"}

    await app.signal("t", "closed")
    await settle(app)
    assert (status(app), len(events(app, "signal_received"))) == ("finished", 3)


def family() -> list[Agent]:
    """A parent that delegates, and a child that asks."""
    errand = lambda chosen: Delegate(chosen.step, "child", chosen.step.task)  # noqa: E731

    def child(_: Any, state: Any) -> Any:
        if state.ready:
            return asking(state.ready[0])
        if state.waiting or state.finished:
            return Wait()
        asked = state.last(Question)
        return Finish(f"got {asked.result}") if asked else Choose(Question())

    return [
        pipeline(Errand(), carry_out=errand),
        Agent("child", child, Steps, owner="olga"),
    ]


async def test_a_delegated_child_asks_and_its_result_returns_to_the_parent(store):
    app = app_of(family(), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    assert [(row.ref.id, row.id) for row in app.inbox()] == [("t.s1", "s1.1")]
    assert status(app) == "waiting"
    assert app.thread("t.s1").parent.thread == "t"

    again = app_of(family(), store)  # a restart in between makes no second child
    await app.send("t", "still there?")
    await settle(again)
    await again.answer("t.s1.s1.1", "answer", by="anna", value="milk")
    await again.run(until_idle=True, only="t.s1")

    assert (status(again), status(again, "t.s1")) == ("finished", "finished")
    assert state(again).by_id("s1").result == "got milk"
    assert [row.ref.id for row in again.threads()] == ["t.s1", "t"]
    assert len(events(again, "child_launched")) == 1


async def test_a_child_launched_by_a_process_that_died_is_launched_once(store):
    app = app_of(family(), store)
    await app.launch("crew", "go", thread_id="t")
    await advance(ref(), app.surroundings)  # the parent only, and then the process ends
    assert types(app, "t.s1") == ["message_received"]

    await settle(app_of(family(), store))

    assert len(events(app, "child_launched")) == 1
    assert list(state(app, "t.s1").open_contacts) == ["s1.1"]


async def test_a_child_that_was_cancelled_fails_the_step_of_its_parent(store):
    app = app_of(family(), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.cancel("t.s1", by="olga")
    await settle(app)

    assert (status(app, "t.s1"), status(app)) == ("cancelled", "finished")
    assert state(app).by_id("s1").error == "t.s1 was cancelled"


# Pausing


async def test_pause_holds_between_selection_and_invocation(store):
    paid = []
    app = app_of(pipeline(Pay(to="x"), carry_out=approved_then(lambda s: paid.append(s.to))), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.pause("t")
    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    assert (paid, status(app)) == ([], "paused")

    await app.send("t", "go on!")  # a message never lifts the verb
    await settle(app)
    assert (paid, status(app)) == ([], "paused")
    await app.resume("t")
    await settle(app)
    assert (paid, status(app)) == (["x"], "finished")


async def test_a_pause_lets_a_running_tool_end_and_keeps_its_outcome(store):
    gates = {"a": Gate("a"), "b": Gate("b")}

    async def tool(step: Look, call: Any) -> Any:
        return await gates[step.at](step, call)

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(tool)), store)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(settle(app))
    for gate in gates.values():
        await gate.has_begun()
    await app.pause("t")
    for gate in gates.values():
        gate.let_go.set()
    await running
    assert (len(events(app, "tool_returned")), status(app)) == (2, "paused")

    await app.resume("t")
    await settle(app)
    assert status(app) == "finished"


async def test_cancelling_ends_a_running_thread_and_its_outcome_changes_nothing(store):
    gates = {"a": Gate("a"), "b": Gate("b")}

    async def tool(step: Look, call: Any) -> Any:
        return await gates[step.at](step, call)

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(tool)), store)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(settle(app))
    for gate in gates.values():
        await gate.has_begun()
    await app.cancel("t", reason="enough")
    for gate in gates.values():
        gate.let_go.set()
    await running

    assert (status(app), types(app)[-1]) == ("cancelled", "tool_returned")
    assert [chosen.status for chosen in state(app).all(Look)] == ["closed", "closed"]
    assert store.woken() == []


async def test_many_threads_are_advanced_side_by_side(store):
    meeting = asyncio.Barrier(20)

    async def meet(_: Any) -> str:
        async with asyncio.timeout(PATIENCE_S):
            await meeting.wait()
        return "met"

    app = app_of(pipeline(Look(), carry_out=ran_by(meet)), store)
    for n in range(20):
        await app.launch("crew", "go", thread_id=f"t{n}")
    await settle(app)

    assert {row.status for row in app.threads()} == {"finished"}


async def test_a_model_chooses_step_by_step(store):
    agent = chat(lambda chosen: Settle(chosen.step, "settled"))
    app = app_of(agent, store, Look(at="a"), Look(at="b"), Done())
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert [chosen.result for chosen in state(app).all(Look)] == ["settled", "settled"]
    assert status(app) == "finished"


async def test_all_of_nothing_waits(store):
    app = app_of(Agent("crew", lambda *_: All(), Steps, owner="olga"), store)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert types(app) == ["message_received"]
