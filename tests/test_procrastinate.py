"""The engine for several workers, in one process: trouble, what is healed, and what it refuses."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from crew import (
    PATIENCE_S,
    START,
    Clock,
    Gate,
    Look,
    Meddled,
    Nap,
    Question,
    Steps,
    app_of,
    asking,
    ended,
    events,
    pipeline,
    ran_by,
    ref,
    seen,
    settle,
    status,
    times,
    types,
)
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import Ask, Finish, Sleep, Wait
from twelvefold.engine.procrastinate import ProcrastinateEngine, Timing, expect_schema, migrate
from twelvefold.engine.procrastinate.jobs import ALONE, QUEUE, Job
from twelvefold.engine.procrastinate.outage import Outage
from twelvefold.engine.procrastinate.queue import Queue
from twelvefold.engine.procrastinate.work import Work
from twelvefold.exceptions import ConfigurationError, NotMigrated, StoreUnavailable
from twelvefold.store import Append, Timer
from twelvefold.stores.postgres import PostgresStore
from twelvefold.testing import MemoryStore, Postbox

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
LOCKED = StoreUnavailable("locked")
Make = Callable[..., App]


@pytest.fixture
def url(postgres_url: str) -> str:
    migrate(postgres_url)
    return postgres_url


@pytest.fixture
def make(url: str) -> Iterator[Make]:
    with ExitStack() as stack:

        def app(agents: Any, *, before: tuple[str, Any] | None = None, **options: Any) -> App:
            store: Any = PostgresStore(url)
            stack.callback(store.close)
            store = store if before is None else Meddled(store, *before)
            return app_of(agents, store, engine="procrastinate", **options)

        yield app


def finishing(name: str = "crew") -> Agent[Any, Any]:
    decide = lambda _, state: Wait() if state.finished else Finish("ok")  # noqa: E731
    return Agent(name, decide, Steps, owner="olga")


def sleepy() -> Agent[Any, Any]:
    return pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))


def sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as db:
        done = db.execute(statement.encode())
        return done.fetchall() if done.description else []


def jobs(url: str) -> list[tuple[Any, ...]]:
    return sql(
        url, "select task_name, status::text, queue_name from procrastinate_jobs order by id"
    )


def until_over(trouble: asyncio.Event) -> Callable[[], Awaitable[None]]:
    """However often it is tried: how many tries there is time for, the machine decides."""

    async def before() -> None:
        if not trouble.is_set():
            raise LOCKED

    return before


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# Trouble


async def test_a_thread_that_could_not_go_on_is_tried_again(make: Make, url: str):
    app = make(finishing(), before=("finished", times(2, LOCKED)))
    await app.launch("crew", "go", thread_id="t")
    engine = app.new_engine()
    running = asyncio.create_task(engine.run())
    await until(lambda: ref() in engine.errors)
    await seen(app, "t", "finished")
    await ended(running)

    assert engine.errors == {}
    assert [status for _, status, _ in jobs(url)] == []


async def test_something_new_is_tried_at_once_although_a_thread_waits_to_be_tried(
    make: Make, url: str
):
    trouble = asyncio.Event()
    app = make(finishing(), before=("finished", until_over(trouble)))
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    assert jobs(url) == [("twelvefold.again", "todo", QUEUE)]

    trouble.set()
    await app.send("t", "more")
    await settle(app)
    assert status(app) == "finished"


async def test_a_thread_that_is_tried_again_keeps_its_job(make: Make, url: str):
    class Quick(Queue):
        async def advance_now(self, job: Job) -> None:
            await super().advance_now(job)
            [advance] = await self.fetch(1, alone=False)  # before the job that waited has ended
            assert (advance.id, advance.task, advance.tries) == (job.id, "advance", 1)

    app, queue = make(finishing()), Quick(url)
    await app.launch("crew", "go", thread_id="t")
    await queue.open()
    [failed] = await queue.fetch(1, alone=False)
    await queue.postpone(failed, delay_s=0)
    [again] = await queue.fetch(1, alone=False)
    store: Any = app.store
    work = Work(queue, app.surroundings, store, schedules=(), errors={}, jobs_max=1)
    over = asyncio.Event()
    work.begin(again, None, over.set)
    await over.wait()

    assert jobs(url) == [("twelvefold.advance", "doing", QUEUE)]
    await queue.close()


async def test_threads_of_another_application_wait_untouched_and_are_said_once(
    make: Make, url: str, caplog: pytest.LogCaptureFixture
):
    ours, theirs = make(finishing("ours")), make(finishing("theirs"))
    for name in "abc":
        await theirs.launch("theirs", "go", thread_id=name)
    engine = ours.new_engine()
    running = asyncio.create_task(engine.run())
    await until(lambda: len(engine.errors) == 3)
    await ours.launch("ours", "go", thread_id="t")
    await seen(ours, "t", "finished")
    await until(lambda: sql(url, "select 1 from procrastinate_jobs where args->>'tries' > '1'"))
    await ended(running)

    [said] = [line for line in caplog.messages if "not in App" in line]
    assert "deploy the version with this agent" in said
    assert "a database of its own" in said
    assert {theirs.thread(name).head for name in "abc"} == {1}
    running = asyncio.create_task(theirs.run())
    for name in "abc":
        await seen(theirs, name, "finished")
    await ended(running)


async def test_a_message_that_was_not_recorded_is_due_until_it_is(make: Make, url: str):
    box, trouble = Postbox("mail"), asyncio.Event()
    app = make(
        pipeline(Question(), carry_out=asking),
        before=("contact_sent", until_over(trouble)),
        channels=[box],
    )
    await app.launch("crew", "go", thread_id="t", channel="mail", sender="anna@example.com")
    await settle(app)
    assert jobs(url) == [("twelvefold.timer", "todo", QUEUE)]  # no other is made meanwhile

    trouble.set()
    running = asyncio.create_task(app.run())
    await seen(app, "t", "contact_sent")
    await ended(running)
    assert len({delivery.key for delivery in box.sent}) == 1


async def test_a_job_of_a_thread_that_is_gone_is_dropped(make: Make, url: str):
    app = make(finishing())
    sql(url, "insert into twelvefold_wakes values ('default', 'gone', 1)")
    assert app.new_engine().stats().oldest_wait_s == 0.0
    await settle(app)

    assert jobs(url) == []


async def test_a_timer_whose_workers_die_is_given_up_with_its_thread(make: Make, url: str):
    app = make(pipeline(Question(), carry_out=asking), channels=[Postbox("mail")])
    await app.launch("crew", "go", thread_id="t", channel="mail", sender="anna@example.com")
    await settle(app)
    await app.store.commit(Append("t", [], timers=[Timer("send:s1.1", START)]))
    queue = Queue(url)
    await queue.open()
    await queue.sweep(app.clock())
    assert len(await queue.fetch(9, alone=False)) == 1
    sql(url, "update procrastinate_jobs set attempts = 3, worker_id = null")

    running = asyncio.create_task(app.run())
    await seen(app, "t", "advance_failed")
    await until(lambda: not jobs(url))
    await ended(running)
    await queue.close()

    assert "timer send:s1.1" in events(app, "advance_failed")[0].data["error"]
    assert app.store.due(app.clock()) == []


async def test_a_job_that_two_workers_died_with_waits_where_one_runs_at_a_time(
    make: Make, url: str, caplog: pytest.LogCaptureFixture
):
    app, gate = make(finishing()), Queue(url)
    for name in "abc":
        await app.launch("crew", "go", thread_id=name)
    await gate.open()
    kills = {"stall_s": 60.0, "kills_max": 4}
    for queue in (QUEUE, ALONE):
        while await gate.fetch(9, alone=True):
            pass
        sql(url, "update procrastinate_jobs set worker_id = null where status = 'doing'")
        assert await gate.reap(**kills) == []
        assert {name for _, _, name in jobs(url)} == {queue}
    assert caplog.text.count("b: its worker was silent for more than 60 s") == 2

    assert await gate.fetch(9, alone=False) == []
    await gate.close()
    await settle(app)
    assert {row.status for row in app.threads()} == {"finished"}


async def test_jobs_are_fetched_together_one_of_each_thread_and_one_suspect(make: Make, url: str):
    app, queue = make(finishing()), Queue(url)
    for name in "abcde":
        await app.launch("crew", "go", thread_id=name)
    for name in "cc":
        await app.send(name, "more")
    sql(
        url,
        f"update procrastinate_jobs set queue_name = '{ALONE}' where args ->> 'id' in ('a', 'd')",
    )
    await queue.open()

    fetched = await queue.fetch(9, alone=True)
    assert [job.ref.id for job in fetched] == ["a", "b", "c", "e"]
    assert await queue.fetch(9, alone=False) == []
    await queue.finish(fetched[2])
    assert [job.ref.id for job in await queue.fetch(1, alone=False)] == ["c"]
    assert [job.ref.id for job in await queue.fetch(1, alone=True)] == ["d"]
    await queue.close()


async def test_a_job_that_was_given_to_another_worker_is_not_finished(make: Make, url: str):
    app, queue, other = make(finishing()), Queue(url), Queue(url)
    for name in "ab":
        await app.launch("crew", "go", thread_id=name)
    for one in (queue, other):
        await one.open()
    mine, lost = await queue.fetch(9, alone=False)
    sql(url, f"update procrastinate_jobs set worker_id = {other.worker} where id = {lost.id}")

    await asyncio.gather(queue.finish(mine), queue.finish(lost))

    assert (await queue.mine(), await other.mine()) == ([], [lost.id])
    for one in (queue, other):
        await one.close()


async def test_a_wake_without_a_job_gets_one_in_a_crowd_of_others(make: Make, url: str):
    app = make(finishing())
    running = asyncio.create_task(app.run())
    for number in range(20):
        await app.launch("crew", "go", thread_id=f"t{number}")
        if number % 2:
            sql(url, f"delete from procrastinate_jobs where args ->> 'id' = 't{number}'")
    for number in range(20):
        await seen(app, f"t{number}", "finished")
    await ended(running)


async def test_a_worker_that_was_taken_for_dead_is_a_new_one(url: str):
    queue = Queue(url)
    await queue.open()
    before = queue.worker
    assert await queue.beat() is True
    sql(url, "delete from procrastinate_workers")

    assert await queue.beat() is False
    assert queue.worker > before
    await queue.leave()
    await queue.close()
    assert sql(url, "select * from procrastinate_workers") == []


async def test_a_job_whose_fetch_was_not_heard_is_handed_back(make: Make, url: str):
    app = make(finishing())
    engine = ProcrastinateEngine(app.surroundings, app.store, timing=Timing(stall_s=0.3))
    running = asyncio.create_task(engine.run())
    await until(lambda: sql(url, "select * from procrastinate_workers"))
    with psycopg.connect(url) as db:  # as if the answer of the server had been lost
        app.sync.within(db).launch("crew", "go", thread_id="t")
        db.execute(
            "update procrastinate_jobs set status = 'doing', worker_id ="
            " (select max(id) from procrastinate_workers)"
        )
    await seen(app, "t", "finished")
    await ended(running)


async def test_a_worker_that_is_cut_off_hands_back_what_it_had(make: Make, url: str):
    gate = Gate()
    app = make(pipeline(Look(), carry_out=ran_by(gate, retry_safe=True)))
    await app.launch("crew", "go", thread_id="t")
    engine = app.new_engine()
    running = asyncio.create_task(engine.run())
    await gate.has_begun()
    engine.stop(grace_s=0)
    assert await running is True

    assert jobs(url) == [("twelvefold.advance", "todo", QUEUE)]
    assert sql(url, "select * from procrastinate_workers") == []


# What is healed


@pytest.mark.parametrize("waits", ["sleep", "deadline"])
async def test_a_timer_that_was_deleted_by_hand_is_set_again(make: Make, url: str, waits: str):
    clock = Clock()
    ask = lambda chosen: Ask(chosen.step, "Which?", to="anna", within=HOUR)  # noqa: E731
    agent = sleepy() if waits == "sleep" else pipeline(Question(), carry_out=ask)
    app = make(agent, clock=clock)
    await app.launch("crew", 'go "\x00" \ud800', thread_id="t")  # what jsonb would refuse
    await settle(app)
    sql(url, "delete from twelvefold_timers")

    await settle(app)
    assert status(app) == "waiting"
    clock.forward(2 * HOUR)
    await settle(app)
    assert status(app) == "finished"


@pytest.mark.parametrize("lost", ["remind:s1.1", "send:s1.1", "expire:s1.1"])
async def test_timers_of_a_question_are_set_again_as_the_log_says(make: Make, url: str, lost: str):
    clock, post = Clock(), Postbox("mail", failures=[OSError("down")])
    ask = lambda c: Ask(c.step, "Which?", to="anna", within=2 * HOUR, remind=HOUR)  # noqa: E731
    people = Directory(addresses={"anna": {"mail": "anna@example.com"}})
    channels = {"channels": [post], "directory": people}
    app = make(pipeline(Question(), carry_out=ask), clock=clock, **channels)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    before = sql(url, "select key, due from twelvefold_timers order by key")
    assert [key for key, _ in before] == ["expire:s1.1", "remind:s1.1", "send:s1.1"]
    sql(url, f"delete from twelvefold_timers where key = '{lost}'")

    await settle(app)

    assert sql(url, "select key, due from twelvefold_timers order by key") == before


async def test_what_rests_is_not_woken_by_the_sweeper(make: Make):
    app = make([pipeline(Question(), carry_out=asking)])
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    before = app.store.epoch("t")
    await settle(app)

    assert (app.store.epoch("t"), app.store.woken()) == (before, [])


async def test_a_thread_that_nothing_wakes_is_found(make: Make, url: str):
    app = make(finishing())
    await app.launch("crew", "go", thread_id="t")
    sql(url, "truncate twelvefold_wakes, procrastinate_jobs cascade")
    sql(url, "insert into procrastinate_workers (last_heartbeat) values ('2026-01-01')")

    await settle(app)
    assert sql(url, "select * from procrastinate_workers") == []
    assert types(app) == ["message_received", "finished"]


async def test_the_engine_can_be_changed_while_threads_wait(make: Make, url: str):
    clock = Clock()
    scaled = make(sleepy(), clock=clock)
    await scaled.launch("crew", "go", thread_id="t")
    store = PostgresStore(url)
    alone = app_of(sleepy(), store, clock=clock)
    await settle(alone)
    await alone.launch("crew", "go", thread_id="u")
    await settle(scaled)
    clock.forward(HOUR)
    await settle(alone)

    assert [status(scaled, name) for name in "tu"] == ["finished", "finished"]
    await settle(scaled)  # jobs whose wake was served elsewhere do nothing
    assert jobs(url) == []
    store.close()


async def test_a_timer_that_was_moved_after_its_job_was_made_does_not_fire(make: Make, url: str):
    clock = Clock()
    app = make(sleepy(), clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    clock.forward(HOUR)
    queue = Queue(url)
    await queue.open()
    assert await queue.sweep(clock()) == 1
    await app.store.commit(Append("t", [], timers=[Timer("sleep:s1", START + 3 * HOUR)]))
    await queue.close()

    await settle(app)
    assert (status(app), jobs(url)) == ("waiting", [])


# What is refused


async def test_tables_that_are_missing_are_said_before_anything_is_saved(postgres_url: str):
    store = PostgresStore(postgres_url)
    app = app_of(finishing(), store, engine="procrastinate")
    with pytest.raises(NotMigrated, match="db migrate"):
        await app.launch("crew", "go", thread_id="t")
    assert app.threads() == []
    with pytest.raises(NotMigrated, match="db migrate --engine procrastinate"):
        await app.run(until_idle=True)

    assert (migrate(postgres_url), migrate(postgres_url)) == (True, False)
    sql(postgres_url, "drop function procrastinate_retry_job_v2")
    with pytest.raises(NotMigrated, match="older version"):
        expect_schema(postgres_url)
    store.close()


def test_another_store_is_refused():
    app = app_of(finishing(), MemoryStore(), engine="procrastinate")

    with pytest.raises(ConfigurationError, match="needs a Postgres store, and this is MemoryStore"):
        app.new_engine()
    with pytest.raises(ConfigurationError, match="none of embedded, procrastinate"):
        app.use_engine("celery")


def test_an_outage_is_said_once_and_when_it_is_over(caplog: pytest.LogCaptureFixture):
    outage = Outage()
    for error in (LOCKED, StoreUnavailable("refused"), LOCKED):
        outage.say(error)
    outage.is_over()
    outage.is_over()
    outage.say(LOCKED)

    again = "the queue answers again, and the work goes on"
    assert caplog.messages == ["locked", "refused", again, "locked"]


async def test_a_worker_says_that_the_server_is_back(
    make: Make, url: str, caplog: pytest.LogCaptureFixture
):
    app = make(finishing())
    engine = ProcrastinateEngine(app.surroundings, app.store, timing=Timing(stall_s=0.3))
    running = asyncio.create_task(engine.run())
    cut = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where query = 'listen twelvefold' and datname = current_database()"
    )
    await until(lambda: sql(url, cut) and "the queue did not answer" in caplog.text)
    await until(lambda: "the queue answers again" in caplog.text)
    await ended(running)


def test_a_server_that_is_not_there_is_said(tmp_path: Any):
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        migrate(f"postgresql://postgres@/x?host={tmp_path}")
