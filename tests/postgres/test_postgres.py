"""The Postgres store: its schema, what errors mean, and many who write at once."""

import asyncio
import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from contracts.store import LATER, NOW, asked, closed, fact, launch, message, types
from crew import Pay, app_of, approved_then, pipeline, seen, settle, status
from postgres.cluster import Cluster
from twelvefold.app import App
from twelvefold.exceptions import (
    ConfigurationError,
    NotMigrated,
    Stale,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnavailable,
    StoreVersion,
    Unstorable,
)
from twelvefold.store import Append, Create, Ref, Timer
from twelvefold.stores import open_store, shown_url
from twelvefold.stores.postgres import MIGRATIONS, PostgresStore, inspect, migrate, script
from twelvefold.stores.postgres.clock import StoreClock
from twelvefold.stores.postgres.failures import translated
from twelvefold.stores.postgres.queries import SQL
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.summary import summarize
from twelvefold.thread import canonical

pytestmark = pytest.mark.anyio


def rows(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as db:
        found = db.execute(sql.SQL(statement), values or None)  # pyright: ignore
        return found.fetchall() if found.description else []


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each work returned or raised, all begun in the same instant."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def run(n: int, work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[n] = work()
        except Exception as error:
            results[n] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# Opening


def test_a_url_opens_the_store_however_its_driver_is_named(postgres_url):
    for scheme in ("postgresql:", "postgres:", "postgresql+psycopg:"):
        with closing(open_store(postgres_url.replace("postgresql:", scheme, 1))) as store:
            assert isinstance(store, PostgresStore)


def test_a_database_without_a_schema_names_the_command(postgres: Cluster):
    with postgres.log(migrated=False) as url, pytest.raises(NotMigrated, match="none yet"):
        PostgresStore(url)


def test_an_older_schema_is_refused_and_a_newer_one_too(postgres_url):
    rows(postgres_url, "update twelvefold_migrations set number = 0")
    with pytest.raises(NotMigrated, match="twelvefold db migrate"):
        PostgresStore(postgres_url)

    rows(postgres_url, "update twelvefold_migrations set number = 9999")
    for use in (PostgresStore, migrate):
        with pytest.raises(StoreVersion, match="Upgrade this installation"):
            use(postgres_url)
    assert inspect(postgres_url).is_newer


def test_a_migration_runs_once_although_many_ask_for_it(postgres: Cluster):
    with postgres.log(migrated=False) as url:
        ran = at_once(*[lambda: migrate(url)] * 4)

        assert sorted(len(done) for done in ran) == [0, 0, 0, len(MIGRATIONS)]
        assert migrate(url) == []
        assert rows(url, "select number, name from twelvefold_migrations") == [
            (m.number, m.name) for m in MIGRATIONS
        ]


def test_a_migration_that_fails_leaves_nothing(postgres: Cluster):
    with postgres.log(migrated=False) as url:
        rows(url, "create table twelvefold_blobs (theirs int)")

        with pytest.raises(StoreError):
            migrate(url)

        assert inspect(url).schema == 0
        tables = rows(url, "select tablename from pg_tables where schemaname = current_schema()")
        assert tables == [("twelvefold_blobs",)]


def test_the_printed_script_does_what_the_command_does(postgres: Cluster):
    with postgres.log(migrated=False) as url:
        rows(url, script(inspect(url).pending))

        assert inspect(url).pending == []
        assert script(inspect(url).pending) == ""
        with closing(PostgresStore(url)) as store:
            launch(store)


def test_looking_changes_nothing(postgres: Cluster, postgres_url):
    with postgres.log(migrated=False) as url:
        found = inspect(url)
        assert (found.schema, found.rows, len(found.pending)) == (0, {}, len(MIGRATIONS))
        assert rows(url, "select 1 from pg_tables where schemaname = current_schema()") == []

    with closing(PostgresStore(postgres_url)) as store:
        launch(store, "t1", message(), asked("s1.1"), wake=True)
    found = inspect(postgres_url)
    assert dict(found.rows) == {
        "threads": 1, "events": 2, "open_contacts": 1, "wakes": 1, "timers": 0,
    }  # fmt: skip
    assert found.bytes > 0


def test_a_password_is_shown_nowhere(postgres_url):
    url = postgres_url.replace("postgres@", "postgres:hunter2@")
    store = PostgresStore(url)

    assert "hunter2" not in store.name
    assert store.name.startswith("postgresql://postgres@")
    store.close()
    for shown in (url, "postgresql://a:hunter2@h/d", "postgresql://h/d?user=a&password=hunter2"):
        assert "hunter2" not in shown_url(shown)
    with pytest.raises(ConfigurationError) as refused:
        open_store("mysql://a:hunter2@host/db")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("password", ["hun@ter2", "hun@/ter2", "h@un/ter2", "h@un@ter2"])
def test_a_password_that_should_have_been_escaped_is_shown_nowhere(password: str):
    url = f"postgresql://a:{password}@127.0.0.1:1/d"

    with pytest.raises(ConfigurationError, match="%40") as refused:
        PostgresStore(url)

    assert "ter2" not in str(refused.value) + shown_url(url)


def test_a_name_may_hold_an_escaped_at():
    with pytest.raises(StoreUnavailable, match="1/d@e did not answer"):
        PostgresStore("postgresql://a:hunter2@127.0.0.1:1/d%40e")


def test_a_server_that_is_not_there_is_worth_a_retry(tmp_path):
    with pytest.raises(StoreUnavailable) as refused:
        PostgresStore(f"postgresql://postgres@/x?host={tmp_path}")

    assert refused.value.retryable
    assert str(refused.value).isprintable()  # one line, as a log has it


def test_a_url_that_cannot_be_read_is_a_setting_to_correct():
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PostgresStore("postgresql://host/db?nonsense=1")


def test_a_database_in_another_encoding_is_refused(postgres: Cluster):
    name = f"latin_{os.getpid()}"
    rows(
        postgres.url,
        f"create database {name} template template0 encoding 'LATIN1' locale 'C'",
    )
    url = postgres.url.rsplit("/", 1)[0] + f"/{name}?" + postgres.url.partition("?")[2]
    try:
        with pytest.raises(ConfigurationError, match="encoding 'UTF8'"):
            PostgresStore(url)
    finally:
        rows(postgres.url, f"drop database {name}")


def test_every_connection_waits_for_the_disk(postgres_url):
    joint = "%20-csynchronous_commit%3Doff"
    with closing(PostgresStore(postgres_url + joint)) as store, store._pool.connection() as db:
        assert db.raw.execute("show synchronous_commit").fetchone() == ("on",)


def test_what_it_is_and_its_version_are_told(store):
    assert re.match(r"PostgreSQL \d+\S*.*, schema 1$", store.about())


# The log


def test_every_statement_is_valid(store, postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as db:
        for name, statement in SQL.items():
            db.execute(f"prepare {name} as {statement}") if _may_be_prepared(statement) else None


def _may_be_prepared(statement: str) -> bool:
    return statement.split()[0] in {"select", "insert", "update", "delete", "with"}


DAILY = [
    "thread_for_append",
    "update_thread",
    "event_by_key",
    "events_after",
    "types_after",
    "list_threads",
    "list_threads_of_agent",
    "list_threads_of_status",
    "list_open_contacts",
    "ids_ending",
    "thread_row",
    "end_wake",
    "due",
]
PAGES = {
    "list_threads",
    "list_threads_of_agent",
    "list_threads_of_status",
    "list_open_contacts",
}
"""What would have to sort the whole table, where the others sort the rows of one thread."""
ROWS_MANY = 3000


def test_the_cost_of_a_daily_statement_does_not_grow_with_the_table(store, postgres_url):
    _fill(postgres_url)

    with psycopg.connect(postgres_url, autocommit=True) as db:
        for name in DAILY:
            values = ", ".join(_argument(name, n) for n in range(1, _places(SQL[name]) + 1))
            db.execute(f"prepare {name} as {SQL[name]}")
            plan = str(db.execute(f"explain execute {name}({values})").fetchall())
            assert "Seq Scan" not in plan, (name, plan)
            assert "Sort" not in plan or name not in PAGES, (name, plan)


def _places(statement: str) -> int:
    return max((int(n) for n in re.findall(r"\$(\d+)", statement)), default=0)


def _argument(name: str, place: int) -> str:
    if name in {"list_threads", "list_threads_of_agent", "list_threads_of_status"}:
        return ["'default'", str(2**62), "10", "'waiting'", "null"][place - 1]
    if name == "ids_ending":
        return ["'default'", "'99'", "5"][place - 1]
    if name == "list_open_contacts":
        return ["'default'", "10", "''", "''", "0", "0", "null", "null", "null"][place - 1]
    if name in {"thread_for_append", "thread_row", "events_after", "end_wake"}:
        return ["'default'", "'t7'", "0"][place - 1]
    if name == "update_thread":
        return ["1", "0", "''", "''", "7"][place - 1]
    return ["7", "'1'"][place - 1] if name != "due" else "'2026'"


def _fill(url: str) -> None:
    numbers = f"from generate_series(1, {ROWS_MANY}) n"
    for statement in (
        "insert into twelvefold_threads (tenant, id, agent, head, epoch, chain, status, summary)"
        f" select 'default', 't' || n, 'a' || n % 50, 5, 0, '', 'running', '{{}}' {numbers}",
        "insert into twelvefold_events (thread, seq, type, v, key, at, data, salt, chain)"
        f" select n, s, 'noted', 1, s::text, '2026', '{{}}', '', '' {numbers},"
        " generate_series(1, 5) s",
        "insert into twelvefold_contacts (thread, id, tenant, seq, asked_at, deadline, risk,"
        " asks) select n, 's1.1', 'default', 1, '2026', case n % 2 when 0 then '2026' end, 'low',"
        f" '' {numbers}",
        "insert into twelvefold_wakes (tenant, thread_id, version)"
        f" select 'default', 't' || n, n {numbers}",
        "insert into twelvefold_timers (tenant, thread_id, key, due)"
        f" select 'default', 't' || n, 'k', (2027 + n % 100)::text {numbers}",
        "analyze",
    ):
        rows(url, statement)


def test_the_same_history_has_the_same_chain_in_every_store(store, tmp_path, monkeypatch):
    other = SqliteStore(tmp_path / "agents.db")
    monkeypatch.setattr("twelvefold.tables.appends.urandom", lambda n: b"\7" * n)

    for one in (store, other):
        write_history(one)

    assert dump(store) == dump(other)
    other.close()


def write_history(store: Any) -> None:
    launch(store, "t1", message("grüß\ud800\0", "k"), fact(n=2**60, x=0.1), tenant="acme")
    launch(store, "t2", message(), asked("s1.1", "2026-11-21T10:00:00+02:00"), wake=True)
    store.commit_now(
        Append("t1", [fact("z"), fact("paused")], tenant="acme", claim=True),
        Append("t2", [closed("s1.1")], timers=[Timer("k", LATER)]),
        Append("t3", [fact(a={"b": [1, None, True]})], create=Create("child")),
    )


def dump(store: Any) -> list[list[Any]]:
    """All rows of the log and of what is derived from it."""
    threads = (
        "select tenant, id, agent, parent_thread, head, epoch, chain, status, summary"
        " from twelvefold_threads order by n"
    )
    events = "select * from twelvefold_events order by thread, seq"
    contacts = "select * from twelvefold_contacts order by thread, id"
    if isinstance(store, SqliteStore):
        events = events.replace(
            "*", 'thread, seq, type, v, key, after, at, data, salt, "commit", chain'
        )
        return [store._writer._db.execute(one).fetchall() for one in (threads, events, contacts)]
    with store._pool.connection() as db:
        return [db.raw.execute(one).fetchall() for one in (threads, events, contacts)]


def test_the_chain_can_be_recomputed_by_anybody(store, postgres_url):
    launch(store, "t1", message("grüß\ud800", "k"), fact(n=2**60))
    store.commit_now(Append("t1", [fact()]))

    chain = hashlib.sha256(canonical(["1", "default", "t1", "deploybot", *[None] * 3]).encode())
    chain = chain.digest()
    columns = 'seq, type, v, key, after, at, salt, data, "commit", chain'
    for *place, salt, data, commit, linked in rows(
        postgres_url, f"select {columns} from twelvefold_events order by seq"
    ):
        assert commit is None
        header = canonical(["default", "t1", *place]).encode()
        chain = hashlib.sha256(chain + header + hashlib.sha256(salt + data.encode()).digest())
        chain = chain.digest()
        assert linked == chain
    assert rows(postgres_url, "select chain from twelvefold_threads") == [(chain,)]


def test_the_projections_rebuilt_equal_the_live_ones(store, postgres_url):
    launch(store, "t1", message(), asked("s1.1", "2026-11-21T10:00:00+02:00"), asked("s1.2"))
    store.commit_now(Append("t1", [closed("s1.1"), fact("paused")]))
    launch(store, "fork", message(), asked("s1.1"), fact("forked"))
    launch(store, "t1", message("other tenant"), asked("s9.1"), tenant="b")
    live = dump(store)
    rows(postgres_url, "update twelvefold_threads set summary = '{}', status = 'failed'")
    rows(postgres_url, "delete from twelvefold_contacts where id = 's1.1'")
    rows(postgres_url, "update twelvefold_contacts set outcome = 'invented'")

    assert store.rebuild() == (3, (Ref("default", "t1"), Ref("default", "fork"), Ref("b", "t1")))
    assert store.rebuild() == (3, ())

    assert dump(store) == live


def test_a_rebuild_that_fails_changes_nothing(store, postgres_url):
    launch(store, "t1", message(), asked("s1.1"))
    rows(postgres_url, "update twelvefold_events set data = '{' where seq = 1")
    live = dump(store)

    with pytest.raises(json.JSONDecodeError):
        store.rebuild()

    assert dump(store) == live
    store.commit_now(Append("t1", [fact()]))


# Many at once


def test_of_many_who_begin_a_thread_one_does(store, other):
    for n in range(10):
        rivals = [
            lambda one=one, k=k: launch(one, f"t{n}", message(key=f"delivery:{k}"))  # noqa: B023
            for k, one in enumerate((store, other, store, other))
        ]
        results = at_once(*rivals)

        assert sum(isinstance(result, list) for result in results) == 1
        assert store.load(f"t{n}").head == 1


def test_a_delivery_that_comes_to_two_processes_is_one_thread(store, other):
    first, second = at_once(lambda: launch(store), lambda: launch(other))

    assert first == second
    assert store.load("t1").head == 1


@pytest.mark.parametrize("begin", [False, True], ids=["there", "new"])
def test_transactions_over_the_same_threads_in_another_order_all_commit(store, other, begin):
    ids = ["a", "b", "c"]

    def work(one: PostgresStore, worker: int, order: list[str]) -> None:
        for n in range(10):
            names = [f"{id}{n}" if begin else id for id in order]
            appends = [Append(id, [fact(key=f"{worker}:{n}")]) for id in names]
            if begin:
                appends = [
                    Append(a.thread_id, [fact(key="k")], create=Create("a")) for a in appends
                ]
            one.commit_now(*appends)

    if not begin:
        for id in ids:
            launch(store, id)
    results = at_once(
        lambda: work(store, 1, ids),
        lambda: work(other, 2, ids[::-1]),
        lambda: work(store, 3, [ids[1], ids[0], ids[2]]),
    )

    assert results == [None] * 3
    heads = {store.load(row.ref.id).head for row in store.threads()}
    assert heads == ({1} if begin else {31})


def test_decisions_of_two_processes_on_one_head_are_one(store, other):
    launch(store)
    for n in range(20):
        head = store.load("t1").head
        results = at_once(
            *[
                lambda one=one, head=head: one.commit_now(Append("t1", [fact()], expect=head))
                for one in (store, other)
            ]
        )
        assert sum(isinstance(result, Stale) for result in results) == 1, n
    assert store.thread_row("t1").summary == summarize(store.load("t1").events)


async def test_a_thread_that_is_locked_holds_up_no_other(store, postgres_url):
    launch(store, "t1")
    launch(store, "t2")
    with psycopg.connect(postgres_url) as db:
        db.execute("select from twelvefold_threads where id = 't1' for update")
        held = asyncio.ensure_future(store.commit(Append("t1", [fact()])))
        await store.commit(Append("t2", [fact()]))
        assert not held.done()
    await held

    assert types(store, "t2") == types(store, "t1") == ["message_received", "noted"]


async def test_a_lock_that_stays_is_an_error_worth_a_retry(postgres_url):
    store = PostgresStore(postgres_url, lock_timeout_s=0.05)
    launch(store)
    with psycopg.connect(postgres_url) as db:
        db.execute("select from twelvefold_threads for update")
        with pytest.raises(StoreUnavailable, match="locked") as refused:
            await store.commit(Append("t1", [fact()]))
    assert refused.value.retryable

    await store.commit(Append("t1", [fact()]))
    assert types(store) == ["message_received", "noted"]
    store.close()


async def test_a_decision_whose_caller_is_gone_is_not_written_but_a_fact_is(store, postgres_url):
    launch(store)
    with psycopg.connect(postgres_url) as db:
        db.execute("select from twelvefold_threads for update")
        first = asyncio.ensure_future(store.commit(Append("t1", [fact("contact_sent")])))
        decision = asyncio.ensure_future(store.commit(Append("t1", [fact("decided")], expect=1)))
        outcome = asyncio.ensure_future(store.commit(Append("t1", [fact("noted")])))
        last = asyncio.ensure_future(store.commit(Append("t1", [fact("last")])))
        await asyncio.sleep(0)
        decision.cancel()
        outcome.cancel()
        await asyncio.wait([decision, outcome])
    await asyncio.gather(first, last)

    assert types(store) == ["message_received", "contact_sent", "noted", "last"]


async def test_a_closed_store_says_so(store):
    launch(store)
    store.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        await store.commit(Append("t1", [fact()]))
    with pytest.raises(StoreUnavailable, match="closed"):
        store.load("t1")


def test_more_callers_than_connections_take_turns(postgres_url):
    store = PostgresStore(postgres_url, connections_max=1)
    launch(store)

    results = at_once(*[lambda: store.commit_now(Append("t1", [fact()]))] * 8)

    assert not any(isinstance(result, Exception) for result in results)
    assert store.load("t1").head == 9
    store.close()


def test_a_connection_that_is_never_free_is_an_error_worth_a_retry(postgres_url):
    store = PostgresStore(postgres_url, connections_max=1, lock_timeout_s=0.05)
    with store._pool.connection(), pytest.raises(StoreUnavailable, match="connections_max"):
        store.load("t1")
    store.close()


# What errors mean


def test_dropped_connections_are_replaced(store, postgres_url):
    launch(store)
    drop_all(postgres_url)
    store.commit_now(Append("t1", [fact()]))
    drop_all(postgres_url)

    assert types(store) == ["message_received", "noted"]


def drop_all(url: str) -> None:
    rows(url, "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
         " where application_name like 'twelvefold%'")  # fmt: skip


def test_a_commit_that_gets_no_answer_is_ambiguous_and_repeated_by_key(postgres_url, monkeypatch):
    store = PostgresStore(postgres_url)
    launch(store)

    class Cut(type(store._writer)):
        def _commit(self, db: Any) -> None:
            db.raw.execute("commit")
            with psycopg.connect(postgres_url, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s, 5000)", (db.raw.info.backend_pid,))
            super()._commit(db)

    whole = store._writer
    store._writer = Cut(store._pool, store._wakes)
    with pytest.raises(StoreUnavailable, match="not known") as raised:
        store.commit_now(Append("t1", [fact(key="k")]))
    store._writer = whole

    assert raised.value.retryable
    [[event]] = store.commit_now(Append("t1", [fact(key="k")]))
    assert event.seq == 2
    assert store.load("t1").head == 2
    store.close()


def test_a_key_that_is_too_long_for_an_index_is_refused_by_name(store):
    launch(store)
    key = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(100))

    with pytest.raises(Unstorable, match="cannot hold a name"):
        store.commit_now(Append("t1", [fact(key=key)]))
    store.commit_now(Append("t1", [fact()]))


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (errors.DiskFull("no space"), StoreFull, None),
        (errors.DataCorrupted("bad page"), StoreCorrupt, None),
        (errors.InsufficientPrivilege("no"), StoreUnavailable, False),
        (errors.ReadOnlySqlTransaction("standby"), StoreUnavailable, False),
        (errors.UndefinedTable("gone"), NotMigrated, None),
        (errors.LockNotAvailable("lock"), StoreUnavailable, True),
        (errors.TooManyConnections("full"), StoreUnavailable, True),
        (errors.AdminShutdown("stop"), StoreUnavailable, True),
        (psycopg.OperationalError("gone"), StoreUnavailable, True),
        (errors.SyntaxError("?"), StoreUnavailable, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_says_what_to_do(error, kind, retryable):
    found = translated(error, "the log")

    assert type(found) is kind
    assert "the log" in str(found)
    assert getattr(found, "retryable", None) is retryable


def test_what_is_not_the_databases_error_comes_back():
    error = ValueError("mine")

    assert translated(error, "the log") is error


# Other processes


def test_a_wake_of_another_process_is_heard_once(store, other):
    launch(store)
    store.changed()
    other.commit_now(Append("t1", [fact()], wake=True))

    assert heard(store)
    assert not store.changed()
    store.commit_now(Append("t1", [fact()], wake=True))
    store.arm(Timer("k", NOW))
    assert not store.changed()
    other.arm(Timer("k", LATER))
    assert heard(store)


def heard(store: PostgresStore) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if store.changed():
            return True
        time.sleep(0.005)
    return False


def test_after_the_connection_was_lost_there_may_be_news(store, postgres_url):
    store.changed()
    drop_all(postgres_url)

    assert heard(store)
    assert not store.changed()


def test_a_long_silence_is_reason_enough_to_look(store, monkeypatch):
    store.changed()
    monkeypatch.setattr("twelvefold.stores.postgres.hearing.LOOK_AGAIN_S", -1.0)

    assert store.changed()


def test_the_runner_is_known_by_its_pid_while_it_holds_the_lock(store, other, postgres):
    assert store.runner_pid() is None
    with store.runner_lock() as held, other.runner_lock() as second:
        assert (held, second) == (True, False)
        assert store.runner_pid() == other.runner_pid() == os.getpid()

    assert store.runner_pid() is None
    with other.runner_lock() as held:
        assert held


def test_each_log_has_its_own_runner(store, postgres: Cluster):
    with (
        postgres.log() as url,
        closing(PostgresStore(url)) as another_log,
        store.runner_lock() as first,
        another_log.runner_lock() as second,
    ):
        assert (first, second) == (True, True)


def test_a_runner_that_lost_its_connection_stops(store, other, postgres_url):
    with store.runner_lock():
        drop_all(postgres_url)
        with pytest.raises(StoreUnavailable, match="right to advance"):
            heard(store)

    with other.runner_lock() as held:
        assert held


# Time


def test_the_clock_is_the_databases(store, postgres_url):
    [[before]] = rows(postgres_url, "select clock_timestamp()")
    now = store.clock()
    [[after]] = rows(postgres_url, "select clock_timestamp()")

    assert before <= now <= after
    assert now.utcoffset().total_seconds() == 0


async def test_a_deadline_is_judged_by_the_time_of_the_database(store, postgres_url, monkeypatch):
    agent = pipeline(Pay(to="x"), carry_out=approved_then(lambda _: "paid"))
    app = App([agent], store=store, model=never_asked)
    [[now]] = rows(postgres_url, "select clock_timestamp()")
    monkeypatch.setattr("twelvefold.app.app.utc_now", lambda: NOW.replace(year=2031))

    await app.launch("crew", "go", thread_id="t")
    with psycopg.connect(postgres_url) as db:
        app.sync.within(db).send("t", "and butter")

    times = [event.at for event in store.load("t").events]
    assert all(timedelta() <= at - now < timedelta(minutes=10) for at in times)
    assert App([agent], store="sqlite:///x.db").clock().year == 2031
    assert App([agent], store=store, clock=lambda: LATER).clock() == LATER


async def never_asked(_: Any) -> Any:
    raise AssertionError


def test_the_clock_never_goes_back_when_the_servers_does(monkeypatch):
    times = iter([LATER, NOW])
    clock = StoreClock(lambda name, parameters: [(next(times),)])
    first = clock()
    monkeypatch.setattr("twelvefold.stores.postgres.clock.ASK_AGAIN_S", -1.0)

    assert clock() >= first >= LATER


# The engine


async def test_an_engine_that_lost_its_right_ends_and_the_next_one_goes_on(store, postgres_url):
    agent = pipeline(Pay(to="x"), carry_out=approved_then(lambda _: "paid"))
    app = app_of(agent, store)
    await app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(app.run())
    await seen(app, "t", "contact_requested")

    await asyncio.to_thread(drop_all, postgres_url)
    with pytest.raises(StoreUnavailable):
        await running

    await app.answer("t.s1.1", "approve", by="anna")
    await settle(app)
    assert status(app) == "finished"


async def test_a_standby_takes_over_when_the_runner_is_gone(store, other, postgres_url):
    agent = pipeline(Pay(to="x"), carry_out=approved_then(lambda _: "paid"))
    first, second = app_of(agent, store), app_of(agent, other)
    one, two = asyncio.create_task(first.run()), asyncio.create_task(second.run())
    await first.launch("crew", "go", thread_id="t")
    await seen(second, "t", "contact_requested")
    one.cancel()
    await asyncio.wait([one])

    await second.answer("t.s1.1", "approve", by="anna")
    await seen(second, "t", "finished")
    two.cancel()
    await asyncio.wait([two])
