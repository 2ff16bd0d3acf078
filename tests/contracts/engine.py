"""What every engine must do, as tests that any engine can be put under.

A test module imports these names and gives the fixture `make`: a function that makes an `App` on
the log of the test, as another process would; see `test_engines.py`.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from crew import (
    PATIENCE_S,
    START,
    Clock,
    Done,
    Errand,
    Gate,
    Look,
    Nap,
    Pay,
    Question,
    Steps,
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
    types,
)
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import Approve, Ask, Choose, Delegate, Finish, Sleep, Wait
from twelvefold.schedules import Schedule
from twelvefold.store import Append, Timer
from twelvefold.testing import Postbox

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
Make = Callable[..., App]


def finishing(name: str = "crew") -> Agent[Any, Any]:
    decide = lambda _, state: Wait() if state.finished else Finish("ok")  # noqa: E731
    return Agent(name, decide, Steps, owner="olga")


def sleepy() -> Agent[Any, Any]:
    return pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))


# Wakes


async def test_what_a_dead_process_left_woken_is_advanced_by_the_next(make: Make):
    await make(finishing()).launch("crew", "go", thread_id="t")

    app = make(finishing())
    assert app.new_engine().stats().queue == 1
    await settle(app)

    assert status(app) == "finished"
    stats = app.new_engine().stats()
    assert (stats.queue, stats.oldest_wait_s, stats.lag_s) == (0, 0.0, 0.0)


async def test_what_wakes_a_running_engine_is_advanced_at_once(make: Make):
    app, elsewhere = make(finishing()), make(finishing())
    running = asyncio.create_task(app.run())
    await elsewhere.launch("crew", "go", thread_id="t")
    await seen(app, "t", "finished")
    await app.send("t", "more")
    await seen(app, "t", "finished", 2)
    await ended(running)


async def test_a_wake_that_was_rolled_back_wakes_nobody(make: Make):
    app = make(finishing())
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    head = app.thread("t").head

    with suppress(RuntimeError), app.store.transaction() as tx:  # type: ignore[attr-defined]
        app.store.commit_now(Append("t", [], wake=True), tx=tx)
        raise RuntimeError("the caller gave it up")

    assert app.store.woken() == []
    await settle(app)
    assert app.thread("t").head == head


async def test_a_second_yes_starts_its_tool_while_the_first_still_runs(make: Make):
    gates = {"a": Gate(), "b": Gate()}

    async def pay(step: Pay, call: Any) -> Any:
        return await gates[step.to](step, call)

    app = make(pipeline(Pay(to="a"), Pay(to="b"), carry_out=approved_then(pay)))
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(app.run())
    await seen(app, "t", "contact_requested", 2)
    await app.answer("t.s1.1", "approve", by="anna")
    await gates["a"].has_begun()
    await app.answer("t.s2.1", "approve", by="anna")
    await gates["b"].has_begun()
    for gate in gates.values():
        gate.let_go.set()
    await seen(app, "t", "finished")
    await ended(running)

    assert [gate.keys for gate in gates.values()] == [["default/t/s1"], ["default/t/s2"]]


async def test_many_threads_are_advanced_side_by_side(make: Make):
    meeting = asyncio.Barrier(20)

    async def meet(_: Any) -> str:
        async with asyncio.timeout(PATIENCE_S):
            await meeting.wait()
        return "met"

    app = make(pipeline(Look(), carry_out=ran_by(meet)))
    for n in range(20):
        await app.launch("crew", "go", thread_id=f"t{n}")
    await settle(app)

    assert {row.status for row in app.threads()} == {"finished"}


async def test_a_model_chooses_step_by_step(make: Make):
    app = make(chat(ran_by(lambda _: 1)), Look(at="a"), Look(at="b"), Done())
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert [chosen.result for chosen in state(app).all(Look)] == [1, 1]


async def test_a_child_reports_to_its_parent(make: Make):
    def child(_: Any, state: Any) -> Any:
        if state.ready:
            return asking(state.ready[0])
        if state.waiting or state.finished:
            return Wait()
        asked = state.last(Question)
        return Finish(f"got {asked.result}") if asked else Choose(Question())

    errand = lambda chosen: Delegate(chosen.step, "child", chosen.step.task)  # noqa: E731
    agents = [pipeline(Errand(), carry_out=errand), Agent("child", child, Steps, owner="olga")]
    app = make(agents)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await make(agents).answer("t.s1.s1.1", "answer", by="anna", value="milk")
    await settle(app)

    assert state(app).by_id("s1").result == "got milk"
    assert len(events(app, "child_launched")) == 1


# Trouble


async def test_an_agent_that_is_missing_holds_up_its_own_threads_only(make: Make):
    both, one = make([finishing("old"), finishing("new")]), make(finishing("new"))
    await both.launch("old", "go", thread_id="a")
    await both.launch("new", "go", thread_id="b")

    engine = await settle(one)
    assert (status(one, "a"), status(one, "b")) == ("running", "finished")
    assert ref("a") in engine.errors

    await both.send("a", "hello?")  # something new is a reason to try again at once
    await settle(both)
    assert status(both, "a") == "finished"


async def test_a_run_that_was_cut_off_is_found_by_the_next_process(make: Make):
    gate = Gate()
    agent = pipeline(Look(), carry_out=ran_by(gate, retry_safe=True))
    app = make(agent, stop_grace_s=0)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(app.run())
    await gate.has_begun()
    await ended(running)
    gate.let_go.set()

    await settle(make(agent))

    assert (len(gate.keys), status(app)) == (2, "finished")


async def test_an_engine_that_stops_lets_a_tool_end_and_hands_the_rest_on(make: Make):
    gate = Gate()
    agent = pipeline(Look(), carry_out=ran_by(gate))
    app = make(agent)
    await app.launch("crew", "go", thread_id="t")
    engine = app.new_engine()
    running = asyncio.create_task(engine.run())
    await gate.has_begun()
    engine.stop()
    await app.launch("crew", "go", thread_id="later")
    gate.let_go.set()
    async with asyncio.timeout(PATIENCE_S):
        assert await running is True
    assert (types(app)[-1], types(app, "later")) == ("tool_returned", ["message_received"])

    await settle(make(agent))
    assert (status(app), status(app, "later"), len(gate.keys)) == ("finished", "finished", 2)


# Time


async def test_a_sleep_ends_when_its_time_has_come_and_not_before(make: Make):
    clock = Clock()
    app = make(sleepy(), clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR - timedelta(seconds=1))
    await settle(app)
    assert (status(app), app.new_engine().stats().lag_s) == ("waiting", 0.0)

    clock.forward(timedelta(seconds=2))
    assert app.new_engine().stats().lag_s == 1.0
    await settle(app)
    assert (types(app)[-2:], app.store.next_due()) == (["timer_fired", "finished"], None)


async def test_a_running_engine_fires_a_timer_when_the_clock_reaches_it(make: Make):
    clock = Clock()
    app = make(sleepy(), clock=clock)
    running = asyncio.create_task(app.run())
    await app.launch("crew", "go", thread_id="t")
    await seen(app, "t", "timer_set")
    clock.forward(HOUR)
    await seen(app, "t", "finished")
    await ended(running)


async def test_a_timer_that_was_moved_fires_at_its_new_time_only(make: Make):
    clock = Clock()
    app = make(sleepy(), clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.store.commit(Append("t", [], timers=[Timer("sleep:s1", START + 3 * HOUR)]))
    clock.forward(2 * HOUR)
    await settle(app)
    assert status(app) == "waiting"

    clock.forward(HOUR)
    await settle(app)
    assert status(app) == "finished"


async def test_a_deadline_denies_and_an_answer_in_time_ends_it(make: Make):
    clock = Clock()

    def carry_out(chosen: Any) -> Any:
        if isinstance(chosen.step, Pay):
            return Approve(chosen.step, by="anna", within=HOUR)
        return Ask(chosen.step, "Which?", to="anna", within=HOUR)

    app = make(pipeline(Pay(to="x"), Question(), carry_out=carry_out), clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.answer("t.s2.1", "answer", by="anna", value="left")
    clock.forward(HOUR)
    await settle(app)

    outcomes = [event.data["outcome"] for event in events(app, "contact_closed")]
    assert (sorted(outcomes), app.store.next_due()) == (["answered", "expired"], None)


async def test_a_slot_of_a_schedule_is_launched_once(make: Make):
    clock = Clock()
    schedule = Schedule("hourly", "crew", "30 * * * *", "look")
    app = make(finishing(), clock=clock, schedules=[schedule])
    await settle(app)
    clock.forward(timedelta(minutes=30))
    await settle(app)
    await settle(make(finishing(), clock=clock, schedules=[schedule]))

    assert [row.status for row in app.threads()] == ["finished"]
    [armed] = app.store.armed()
    assert armed.due == START + timedelta(hours=1, minutes=30)


async def test_what_is_asked_is_sent_once(make: Make):
    channel = Postbox("mail")
    app = make(pipeline(Question(), carry_out=asking), channels=[channel])
    await app.launch("crew", "go", thread_id="t", channel="mail", sender="anna@example.com")
    await settle(app)
    await settle(app)

    assert [delivery.about for delivery in channel.sent] == ["s1.1"]
    assert len(events(app, "contact_sent")) == 1
