"""Time on a virtual clock: schedules, sleeps, deadlines, early signals, stopping."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crew import (
    PATIENCE_S,
    START,
    STORES,
    Clock,
    Gate,
    Look,
    Meddled,
    Nap,
    Pay,
    Steps,
    app_of,
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
from twelvefold.app import App, SyncApp
from twelvefold.effects import Approve, Choose, Finish, Sleep, Wait, WaitFor, run
from twelvefold.engine.embedded import EmbeddedEngine
from twelvefold.exceptions import ConfigurationError, StoreFull
from twelvefold.loop import record
from twelvefold.plan import replay
from twelvefold.schedules import Schedule
from twelvefold.store import Append, Timer
from twelvefold.thread import Draft

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    store = store_of(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def finishing(name: str = "crew") -> Agent:
    decide = lambda _, state: Wait() if state.finished else Finish("ok")  # noqa: E731
    return Agent(name, decide, Steps, owner="olga")


def hourly(**options: Any) -> Schedule:
    return Schedule("hourly", "crew", "0 * * * *", "Look around.", **options)


def scheduled(store: Any, clock: Clock, *schedules: Schedule) -> App:
    return app_of(finishing(), store, clock=clock, schedules=schedules or [hourly()])


def slots_run(app: App, **options: Any) -> list[str]:
    """The slots of the threads there are, oldest first."""
    rows = [row.ref for row in app.threads(limit=1000, **options)][::-1]
    logs = [app.thread(one.id, tenant=one.tenant).events for one in rows]
    return [log[0].data["slot"][5:16] for log in logs]


def moments(store: Any) -> list[datetime]:
    return [due.due for due in store.armed()]


# Schedules


async def test_a_schedule_is_armed_at_start_and_launches_at_its_slot(store, clock):
    app = scheduled(store, clock)
    clock.now = START + HOUR / 2
    await settle(app)
    assert (moments(store), app.threads()) == ([START + HOUR], [])

    clock.now = START + HOUR - timedelta(microseconds=1)
    await settle(app)
    assert app.threads() == []
    clock.now = START + HOUR
    await settle(app)

    [row] = app.threads()
    assert (row.agent, row.status, row.ref.tenant) == ("crew", "finished", "default")
    assert app.thread(row.ref.id).events[0].data == {
        "channel": "schedule",
        "schedule": "hourly",
        "slot": "2026-11-20T10:00:00.000000Z",
        "text": "Look around.",
    }
    assert moments(store) == [START + 2 * HOUR]
    await settle(app)
    assert len(app.threads()) == 1


async def test_a_running_engine_launches_when_the_clock_reaches_the_slot(store, clock):
    gate = Gate()
    agent = pipeline(Look(), carry_out=ran_by(gate))
    app = app_of(agent, store, clock=clock, schedules=[hourly()])
    await settle(app)
    running = asyncio.create_task(app.run())
    await app.launch("crew", "go", thread_id="t")
    await seen(app, "t", "tool_started")  # so it runs
    gate.begun.clear()
    clock.now = START + HOUR

    await gate.has_begun()
    gate.let_go.set()
    await seen(app, hourly().thread_id(START + HOUR), "finished")
    await ended(running)


async def test_a_process_that_was_dead_for_three_slots_says_so_and_runs_once(store, clock, caplog):
    await settle(scheduled(store, clock))
    clock.now = at("2026-11-20 12:20")

    app = scheduled(store, clock)
    await settle(app)

    assert slots_run(app) == ["11-20T12:00"]
    [row] = app.threads()
    told = app.thread(row.ref.id).events[0].data
    assert told["missed"] == [f"2026-11-20T{hour}:00:00.000000Z" for hour in (10, 11, 12)]
    [warning] = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert (
        "3 slots were missed (2026-11-20T10:00Z, 2026-11-20T11:00Z, 2026-11-20T12:00Z)" in warning
    )
    assert (row.status, moments(store)) == ("finished", [at("2026-11-20 13:00")])


async def test_skip_runs_nothing_and_keeps_what_was_missed(store, clock, caplog):
    skipping = hourly(missed="skip")
    await settle(scheduled(store, clock, skipping))
    clock.now = at("2026-11-20 12:20")

    app = scheduled(store, clock, skipping)
    await settle(app)

    [row] = app.threads()
    log = app.thread(row.ref.id).events
    assert [event.type for event in log] == ["message_received", "finished"]
    assert log[1].data["message"] == "Nothing ran: 3 slots were missed and skipped."
    assert (row.status, store.woken()) == ("finished", [])
    assert "3 slots were missed" in caplog.text
    assert replay(app.thread(row.ref.id), app.agents["crew"]) == []
    clock.now = at("2026-11-20 13:00")
    await settle(app)
    assert slots_run(app) == ["11-20T12:00", "11-20T13:00"]


async def test_a_launch_and_the_next_slot_are_one_commit(store, clock, caplog):
    await settle(scheduled(store, clock))
    clock.now = START + HOUR
    full = Meddled(store, "message_received", times(1, StoreFull("full")))
    await settle(scheduled(full, clock))
    assert (store.threads(), moments(store)) == ([], [START + HOUR])
    assert "is still due: full" in caplog.text

    app = scheduled(store, clock)
    await settle(app)
    assert (slots_run(app), moments(store)) == (["11-20T10:00"], [START + 2 * HOUR])


async def test_a_slot_that_is_found_due_again_is_launched_once(store, clock):
    app = scheduled(store, clock)
    await settle(app)
    clock.now = START + HOUR
    await settle(app)
    store.arm(Timer(hourly().timer, START + HOUR))  # as if the commit had been half lost

    await settle(app)

    assert (slots_run(app), moments(store)) == (["11-20T10:00"], [START + 2 * HOUR])


async def test_a_clock_that_jumps_back_launches_no_slot_twice(store, clock):
    app = scheduled(store, clock)
    await settle(app)
    for moment in ("10:00", "09:30", "10:00", "09:59", "10:01", "11:00", "10:00", "11:00"):
        clock.now = at(f"2026-11-20 {moment}")
        await settle(app)

    assert slots_run(app) == ["11-20T10:00", "11-20T11:00"]
    assert moments(store) == [at("2026-11-20 12:00")]


async def test_a_schedule_recovers_from_a_clock_that_was_years_ahead(store, clock):
    clock.now = at("2031-01-01 00:30")
    await settle(scheduled(store, clock))
    assert moments(store) == [at("2031-01-01 01:00")]

    clock.now = START
    app = scheduled(store, clock)
    await settle(app)
    assert moments(store) == [START + HOUR]
    clock.now = START + HOUR
    await settle(app)
    assert slots_run(app) == ["11-20T10:00"]


@pytest.mark.parametrize(
    ("line", "zone", "days", "launched"),
    [
        (
            "0 2 * * *",
            "Europe/Berlin",
            ("2026-03-28 00:00", "2026-03-30 12:00"),
            ["03-28T01:00", "03-29T01:00", "03-30T00:00"],
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            ("2026-10-24 00:00", "2026-10-27 00:00"),
            ["10-24T00:30", "10-25T00:30", "10-26T01:30"],
        ),
        (
            "0 */6 * * *",
            "America/New_York",
            ("2026-11-01 00:00", "2026-11-02 06:00"),
            ["11-01T04:00", "11-01T11:00", "11-01T17:00", "11-01T23:00", "11-02T05:00"],
        ),
        (
            "30 0 * * *",
            "Africa/Cairo",
            ("2026-04-22 12:00", "2026-04-25 12:00"),
            ["04-22T22:30", "04-23T22:00", "04-24T21:30"],
        ),
    ],
)
async def test_time_changes_lose_and_double_no_slot(store, clock, line, zone, days, launched):
    first, last = map(at, days)
    clock.now = first
    app = scheduled(store, clock, Schedule("daily", "crew", line, "go", zone=zone))
    while clock.now <= last:
        await settle(app)
        clock.forward(timedelta(minutes=30))

    assert slots_run(app) == launched


async def test_an_hourly_schedule_runs_in_both_double_hours(store, clock):
    clock.now = at("2026-10-24 23:30")
    app = scheduled(store, clock, hourly(zone="Europe/Berlin"))
    for _ in range(8):
        await settle(app)
        clock.forward(timedelta(minutes=30))

    assert slots_run(app) == ["10-25T00:00", "10-25T01:00", "10-25T02:00", "10-25T03:00"]


async def test_schedules_of_tenants_launch_there(store, clock):
    here = hourly()
    there = Schedule("nightly", "crew", "30 * * * *", "go", tenant="acme")
    app = scheduled(store, clock, here, there)
    await settle(app)
    clock.now = START + HOUR
    await settle(app)
    assert (len(slots_run(app)), len(slots_run(app, tenant="acme"))) == (1, 1)
    assert app.threads(tenant="acme")[0].status == "finished"


async def test_a_schedule_that_is_gone_is_dropped_and_said(store, clock, caplog):
    await settle(scheduled(store, clock))
    moved = Schedule("hourly", "crew", "15 * * * *", "go")
    app = scheduled(store, clock, moved)
    await settle(app)

    assert [due.key for due in store.armed()] == [moved.timer]
    assert "was due at 2026-11-20 10:00:00+00:00 and is dropped" in caplog.text


async def test_a_timer_of_nobody_is_dropped_when_it_is_due(store, clock, caplog):
    store.arm(Timer("something", START))

    await settle(scheduled(store, clock))

    assert [due.key for due in store.armed()] == [hourly().timer]
    assert "something was due" in caplog.text


async def test_who_follows_one_thread_leaves_schedules_alone(store, clock):
    app = scheduled(store, clock)
    await settle(app)
    clock.now = START + HOUR
    await app.launch("crew", "go", thread_id="t")

    await scheduled(store, clock, hourly(zone="Asia/Kolkata")).run(until_idle=True, only="t")

    assert (status(app), moments(store)) == ("finished", [START + HOUR])


async def test_an_application_refuses_schedules_that_cannot_run(store):
    with pytest.raises(ConfigurationError, match="there is no agent 'nobody'"):
        app_of(finishing(), store, schedules=[Schedule("x", "nobody", "0 * * * *", "go")])
    with pytest.raises(ConfigurationError, match="two schedules have the name hourly"):
        app_of(finishing(), store, schedules=[hourly(), hourly(zone="Asia/Tokyo")])


def test_a_sync_app_keeps_the_schedules(store, clock):
    assert SyncApp(scheduled(store, clock)).app.schedules == (hourly(),)


# Timers that cannot be fired


async def tries(caplog: Any, engine: EmbeddedEngine, clock: Clock) -> list[float]:
    """After which seconds a timer was tried again, as the log says."""
    for _ in range(100):
        await engine.run(until_idle=True)
        clock.forward(timedelta(seconds=0.1))
    said = [r.message for r in caplog.records if "still due" in r.message]
    return [float(message.split("next try in ")[1].split(" ")[0]) for message in said]


@pytest.mark.parametrize("error", [StoreFull("full"), ValueError("strange")])
async def test_a_timer_that_cannot_be_fired_is_tried_later_and_later(store, clock, caplog, error):
    sleepy = pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START))
    await app_of(sleepy, store, clock=clock).launch("crew", "go", thread_id="t")
    broken = app_of(sleepy, Meddled(store, "timer_fired", times(9, error)), clock=clock)
    engine = EmbeddedEngine(broken.surroundings, broken.store)

    assert await tries(caplog, engine, clock) == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4]
    assert isinstance(engine.errors[ref()], type(error))
    clock.forward(HOUR)
    for _ in range(5):
        await engine.run(until_idle=True)
        clock.forward(HOUR)
    assert (status(broken), engine.errors, store.next_due()) == ("finished", {}, None)


async def test_a_schedule_that_cannot_be_launched_is_tried_later_and_later(store, clock, caplog):
    await settle(scheduled(store, clock))
    clock.now = START + HOUR
    app = scheduled(Meddled(store, "message_received", times(5, StoreFull("full"))), clock)
    engine = EmbeddedEngine(app.surroundings, app.store, schedules=app.schedules)

    assert await tries(caplog, engine, clock) == [0.2, 0.4, 0.8, 1.6, 3.2]
    assert (slots_run(app), engine.errors) == (["11-20T10:00"], {})


# Sleep


@pytest.mark.parametrize("until", [START - HOUR, START])
async def test_a_sleep_that_is_over_already_ends_at_once(store, clock, until):
    app = app_of(pipeline(Nap(), carry_out=lambda c: Sleep(c.step, until)), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert (types(app)[-2:], store.next_due()) == (["timer_fired", "finished"], None)


async def test_a_timer_whose_fact_the_log_holds_already_is_over(store, clock):
    app = app_of(
        pipeline(Nap(), carry_out=lambda c: Sleep(c.step, START + HOUR)), store, clock=clock
    )
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    store.commit_now(Append("t", [Draft("noted", {}, clock(), key="fired:sleep:s1")]))
    clock.now = START + HOUR
    await settle(app)

    assert (store.next_due(), events(app, "timer_fired")) == (None, [])


async def test_a_sleep_outlasts_a_clock_that_jumps_back(store, clock):
    app = app_of(
        pipeline(Nap(), carry_out=lambda c: Sleep(c.step, START + HOUR)), store, clock=clock
    )
    await app.launch("crew", "go", thread_id="t")
    for moment in (START, START - HOUR, START + HOUR - SECOND, START - 9 * HOUR):
        clock.now = moment
        await settle(app)
        assert status(app) == "waiting"
    clock.now = START + HOUR
    await settle(app)
    clock.now = START
    await settle(app)

    assert (len(events(app, "timer_fired")), status(app)) == (1, "finished")


async def test_a_sleep_until_a_time_without_an_offset_parks_the_thread(store, clock):
    naive = START.replace(tzinfo=None)
    app = app_of(pipeline(Nap(), carry_out=lambda c: Sleep(c.step, naive)), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert status(app) == "failed"
    assert "use an aware time" in events(app, "advance_failed")[0].data["error"]


async def test_time_ends_waits_while_a_thread_is_paused(store, clock):
    app = app_of(
        pipeline(Nap(), carry_out=lambda c: Sleep(c.step, START + HOUR)), store, clock=clock
    )
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    await app.pause("t")
    clock.forward(HOUR)
    await settle(app)
    assert (types(app)[-1], status(app)) == ("timer_fired", "paused")

    await app.resume("t")
    await settle(app)
    assert status(app) == "finished"


def finishing_early(effect: Any) -> Agent:
    """Begins `effect` on two steps, and finishes as soon as a message comes."""

    def decide(_: Any, state: Any) -> Any:
        if state.ready:
            return effect(state.ready[0].step)
        if len(state.unread) > 1:
            return Finish("enough")
        return Wait() if state.by_id("s1") else Choose(Nap(), Nap())

    return Agent("crew", decide, Steps, owner="olga")


@pytest.mark.parametrize(
    "effect",
    [
        lambda step: Sleep(step, START + HOUR),
        lambda step: Approve(step, by="anna", within=HOUR),
    ],
    ids=["sleep", "deadline"],
)
@pytest.mark.parametrize("end", ["finish", "cancel"])
async def test_the_end_of_a_thread_ends_its_timers(store, clock, effect, end):
    app = app_of(finishing_early(effect), store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    assert store.next_due() == START + HOUR

    if end == "cancel":
        await app.cancel("t")
    else:
        await app.send("t", "enough")
    await settle(app)

    assert (status(app), store.next_due()) == (f"{end}ed".replace("cancele", "cancelle"), None)


def napping_when_unsure(tool: Any, **options: Any) -> Agent:
    """Runs a tool; sleeps on the step as long as nobody knows what the run has done."""

    def carry_out(chosen: Any) -> Any:
        if chosen.status == "unknown" and not chosen.reconciled:
            return Sleep(chosen.step, START + HOUR)
        return run(tool, chosen.step, ungated="a test", **options)

    return pipeline(Pay(to="x"), carry_out=carry_out)


async def test_a_late_outcome_ends_the_sleep_of_its_step(store, clock):
    agent = napping_when_unsure(Gate())
    app = app_of(agent, store, clock=clock, stop_grace_s=0)
    await app.launch("crew", "go", thread_id="t")
    frozen = asyncio.create_task(app.run())
    await seen(app, "t", "tool_started")
    await ended(frozen)
    await settle(app)
    assert (types(app)[-1], store.next_due()) == ("timer_set", START + HOUR)

    data = {"step": "s1", "intent": "pay", "attempt": 1, "result": "paid"}
    late = Draft("tool_returned", data, clock(), key="outcome:s1:1")
    await record(store, ref(), late, wake=True)

    assert store.next_due() is None
    await settle(app)
    assert (state(app).by_id("s1").result, status(app)) == ("paid", "finished")


async def test_a_timer_of_a_step_that_no_longer_sleeps_fires_nothing(store, clock):
    app = app_of(
        pipeline(Nap(), carry_out=lambda c: Sleep(c.step, START + HOUR)), store, clock=clock
    )
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    # What a `reconcile` that did not know leaves: the step is ready, and is put to sleep again.
    data = {"step": "s1", "intent": "nap", "attempt": 0, "reconciled": True}
    unsure = Draft("tool_outcome_unknown", data, clock(), key="reconcile:s1:0")
    await record(store, ref(), unsure, wake=True)
    clock.forward(HOUR)

    await settle(app)

    assert types(app)[-4:] == ["tool_outcome_unknown", "timer_set", "timer_fired", "finished"]
    assert store.next_due() is None


# Signals


def collecting(*names: str) -> Agent:
    """Waits for one signal after the other, and finishes with what they carried."""

    def decide(_: Any, state: Any) -> Any:
        if state.ready:
            return WaitFor(state.ready[0].step, state.ready[0].step.at)
        if state.waiting or state.finished:
            return Wait()
        done = state.all(Look)
        if len(done) < len(names):
            return Choose(Look(at=names[len(done)]))
        return Finish(" ".join(str(chosen.result) for chosen in done))

    return Agent("crew", decide, Steps, owner="olga")


async def test_signals_that_come_early_are_not_lost(store):
    app = app_of(collecting("a", "b", "a"), store)
    await app.launch("crew", "go", thread_id="t")
    for n, name in enumerate(("b", "a", "a")):
        await app.signal("t", name, n, key=f"d{n}")
        await app.signal("t", name, "the same delivery", key=f"d{n}")
    await settle(app)

    assert (status(app), types(app)[-1]) == ("finished", "finished")
    assert app.thread("t").events[-1].data["message"] == "1 0 2"
    assert replay(app.thread("t"), app.agents["crew"]) == []


async def test_early_and_late_signals_mix(store):
    app = app_of(collecting("a", "b", "a"), store)
    await app.launch("crew", "go", thread_id="t")
    await app.signal("t", "b", "early")
    await settle(app)
    assert app.store.thread_row("t").summary.waits == {"signal:a:s1": "s1"}
    await app.signal("t", "a", "first")
    await settle(app)
    assert app.store.thread_row("t").summary.waits == {"signal:a:s3": "s3"}
    await app.signal("t", "a", "second")
    await settle(app)

    assert app.thread("t").events[-1].data["message"] == "first early second"
    assert replay(app.thread("t"), app.agents["crew"]) == []


async def test_a_fork_keeps_early_signals_and_waits_anew(store):
    app = app_of(collecting("a", "b"), store)
    await app.launch("crew", "go", thread_id="t")
    await app.signal("t", "b", "early")
    await settle(app)
    await app.fork("t", new_id="f")
    await app.signal("t", "a", "one")
    await app.signal("f", "a", "other")
    await settle(app)

    last = [app.thread(name).events[-1].data["message"] for name in ("t", "f")]
    assert last == ["one early", "other early"]


# Stopping


async def test_a_stopped_engine_lets_a_running_tool_end_and_starts_nothing_more(store):
    gate = Gate("paid")
    agent = pipeline(Look(), carry_out=ran_by(gate))
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t")
    engine = EmbeddedEngine(app.surroundings, app.store)
    running = asyncio.create_task(engine.run())
    await gate.has_begun()

    engine.stop()
    await app.launch("crew", "go", thread_id="other")
    gate.let_go.set()
    assert await asyncio.wait_for(running, PATIENCE_S) is True

    assert types(app)[-1] == "tool_returned"
    assert types(app, "other") == ["message_received"]
    assert {woken.ref.id for woken in store.woken()} == {"t", "other"}
    await settle(app)
    assert (status(app), len(gate.keys)) == ("finished", 2)


async def test_a_stopped_engine_lets_tools_side_by_side_end(store):
    gates = {"a": Gate(), "b": Gate()}

    async def tool(step: Look, call: Any) -> Any:
        return await gates[step.at](step, call)

    app = app_of(pipeline(Look(at="a"), Look(at="b"), carry_out=ran_by(tool)), store)
    await app.launch("crew", "go", thread_id="t")
    engine = EmbeddedEngine(app.surroundings, app.store)
    running = asyncio.create_task(engine.run())
    for gate in gates.values():
        await gate.has_begun()

    engine.stop()
    gates["b"].let_go.set()
    await seen(app, "t", "tool_returned")
    gates["a"].let_go.set()
    await asyncio.wait_for(running, PATIENCE_S)

    assert (len(events(app, "tool_returned")), types(app)[-1]) == (2, "tool_returned")


async def test_a_stopped_engine_fires_no_timer(store, clock):
    app = scheduled(store, clock)
    await settle(app)
    clock.now = START + HOUR
    engine = EmbeddedEngine(app.surroundings, app.store, schedules=app.schedules)
    engine.stop()

    assert await engine.run() is False
    assert app.threads() == []


async def test_a_standby_says_so_takes_over_and_can_be_stopped(store):
    app = app_of(finishing(), store)
    said: asyncio.Queue[str] = asyncio.Queue()
    standby, second = (EmbeddedEngine(app.surroundings, app.store) for _ in range(2))
    async with asyncio.timeout(PATIENCE_S):
        with store.runner_lock():
            waiting = asyncio.create_task(standby.run(told=said.put_nowait))
            assert await said.get() == "standby"
        assert await said.get() == "advancing"
        await app.launch("crew", "go", thread_id="t")
        await seen(app, "t", "finished")

        last = asyncio.create_task(second.run(told=said.put_nowait))
        assert await said.get() == "standby"
        second.stop()
        assert await last is False
        standby.stop()
        assert await waiting is True
