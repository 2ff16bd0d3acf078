"""Business rows and events in one transaction: the caller's own, or one lent to a tool."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any, cast

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from contracts.joined import *  # noqa: F403
from contracts.joined import ORDER, append, ids
from contracts.lent import *  # noqa: F403
from contracts.lent import ended_by_with
from contracts.store import fact, launch, types
from crew import (
    Pay,
    app_of,
    approved_then,
    events,
    pipeline,
    seen,
    settle,
)
from crew import types as types_in
from postgres.cluster import Cluster
from twelvefold.app import App
from twelvefold.call import Call
from twelvefold.effects import Choose, Finish, Wait, run
from twelvefold.exceptions import (
    ConfigurationError,
    Conflict,
    NothingHappened,
    StoreUnavailable,
    UnknownThread,
)
from twelvefold.store import Append
from twelvefold.stores.postgres import PostgresStore
from twelvefold.stores.postgres.lending import TRANSACTION_TIMEOUT_S, lent
from twelvefold.stores.postgres.store import LOCK_TIMEOUT_S

pytestmark = pytest.mark.anyio

Db = psycopg.Connection[Any]


@pytest.fixture
def url(postgres_url: str) -> str:
    with psycopg.connect(postgres_url) as db:
        db.execute(
            "create table orders (id int generated always as identity primary key, what text)"
        )
        db.execute("create table lines (n int references orders deferrable initially deferred)")
    return postgres_url


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    store = PostgresStore(url)
    yield store
    store.close()


@pytest.fixture
def app(store: PostgresStore) -> App:
    """One thread pays when anna says yes; the shop's orders are in the same database."""
    return app_of(pipeline(Pay(to="x"), carry_out=approved_then(lambda _: "paid")), store)


@pytest.fixture
def db(url: str) -> Iterator[Db]:
    with closing(psycopg.connect(url)) as db:
        yield db


@pytest.fixture
def orders(url: str) -> Callable[[], list[str]]:
    def read() -> list[str]:
        with psycopg.connect(url) as db:
            return [what for (what,) in db.execute("select what from orders order by id")]

    return read


@pytest.fixture
def engine(url: str) -> Engine:
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)


# The caller's transaction


def test_a_refused_verb_that_began_the_transaction_ends_it(app, db):
    with pytest.raises(UnknownThread):
        app.sync.within(db).send("nowhere", "hello")

    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_an_append_that_fails_half_way_is_undone_alone(app, db, orders):
    db.execute(ORDER)
    db.execute("alter table twelvefold_wakes add check (thread_id <> 't')")
    with pytest.raises(StoreUnavailable, match="did not answer"):
        app.store.commit_now(append(), tx=db)
    db.commit()

    assert (orders(), ids(app)) == (["milk"], [])


def test_while_the_caller_holds_a_thread_others_wait_and_other_threads_go_on(app, db, store):
    for name in ("t", "other"):
        app.sync.launch("crew", "go", thread_id=name)
    app.sync.within(db).send("t", "first")
    later = threading.Thread(target=lambda: app.sync.send("t", "second"))
    later.start()
    app.sync.send("other", "at once")
    db.commit()
    later.join()

    texts = [event.data["text"] for event in store.load("t").events]
    assert texts == ["go", "first", "second"]


def test_a_thread_that_changed_since_it_was_read_is_judged_again(app, db):
    app.sync.launch("crew", "go", thread_id="t")
    db.execute("select 1")
    app.sync.pause("t")

    with pytest.raises(Conflict):
        app.sync.within(db).pause("t")
    app.sync.within(db).resume("t")
    db.commit()

    assert types_in(app)[-1] == "resumed"


def test_a_transaction_that_reads_an_older_state_is_refused_and_may_try_again(app, db):
    app.sync.launch("crew", "go", thread_id="t")
    db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    db.execute("select count(*) from orders")
    app.sync.send("t", "somebody else's")

    with pytest.raises(StoreUnavailable, match="Roll back and do it again") as refused:
        app.sync.within(db).send("t", "hello")

    assert refused.value.retryable
    db.rollback()
    app.sync.within(db).send("t", "hello")
    db.commit()
    assert types_in(app) == ["message_received"] * 3


def test_a_thread_that_an_older_state_does_not_have_is_not_begun_twice(app, db):
    db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    db.execute("select count(*) from orders")
    app.sync.launch("crew", "go", thread_id="t")

    with pytest.raises(StoreUnavailable, match="Roll back and do it again"):
        app.sync.within(db).launch("crew", "go", thread_id="t")


async def test_the_engine_notices_what_the_caller_committed(app, db):
    running = asyncio.create_task(app.run())
    await app.launch("crew", "first", thread_id="first")
    await seen(app, "first", "contact_requested")

    await asyncio.to_thread(lambda: app.sync.within(db).launch("crew", "go", thread_id="t"))
    db.commit()

    await seen(app, "t", "contact_requested")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


# Which connection


def test_another_database_is_refused_and_left_alone(app, postgres: Cluster):
    with closing(psycopg.connect(postgres.url)) as other:
        with pytest.raises(ConfigurationError, match="finds no log"):
            app.sync.within(other).launch("crew", "go")
        assert other.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_another_log_of_the_same_database_is_refused(app, postgres: Cluster):
    with (
        postgres.log() as url,
        closing(psycopg.connect(url)) as other,
        pytest.raises(ConfigurationError, match="another log"),
    ):
        app.sync.within(other).launch("crew", "go")


def test_a_connection_that_commits_by_itself_has_no_transaction_to_join(app, url):
    with closing(psycopg.connect(url, autocommit=True)) as db:
        with pytest.raises(ConfigurationError, match="Begin one"):
            app.sync.within(db).launch("crew", "go", thread_id="t")
        with db.transaction():
            app.sync.within(db).launch("crew", "go", thread_id="t")
            assert ids(app) == []

    assert ids(app) == ["t"]


def test_a_transaction_that_has_failed_is_refused(app, db):
    with pytest.raises(psycopg.errors.UndefinedTable):
        db.execute("select * from nothing_of_this_name")

    with pytest.raises(StoreUnavailable, match="has failed"):
        app.sync.within(db).launch("crew", "go", thread_id="t")


def test_a_closed_connection_and_another_encoding_are_refused(app, url):
    db = psycopg.connect(url)
    db.close()
    with pytest.raises(ConfigurationError, match="is closed"):
        app.sync.within(db).launch("crew", "go")
    with closing(psycopg.connect(url, client_encoding="latin1")) as db:  # noqa: SIM117
        with pytest.raises(ConfigurationError, match="client_encoding=utf8"):
            app.sync.within(db).launch("crew", "go")


def test_the_callers_way_of_reading_rows_is_kept(app, db):
    db.row_factory = dict_row
    db.cursor_factory = psycopg.ClientCursor
    app.sync.within(db).launch("crew", "go", thread_id="t")
    app.sync.within(db).send("t", "hello")
    db.execute(ORDER)

    assert db.execute("select what from orders").fetchall() == [{"what": "milk"}]
    db.commit()
    assert types_in(app) == ["message_received"] * 2


@pytest.mark.parametrize("tx", [object(), None], ids=["object", "async"])
async def test_what_leads_to_no_connection_is_refused(app, url, tx):
    found: Any = tx or await psycopg.AsyncConnection.connect(url)
    with pytest.raises(ConfigurationError, match="leads to no"):
        app.store.commit_now(append(), tx=found)
    if tx is None:
        await found.close()


# A connection that is lent


def test_others_write_meanwhile(store):
    launch(store, "other")
    with store.transaction() as db:
        db.execute(ORDER)
        store.commit_now(Append("other", [fact()]))

    assert types(store, "other") == ["message_received", "noted"]


def committed_in_two(db: Db) -> None:
    db.execute("prepare transaction 'mine'")


ENDINGS: dict[str, Callable[[Db], object]] = {
    "commit": lambda db: db.commit(),
    "rollback": lambda db: db.rollback(),
    "close": lambda db: db.close(),
    "with": ended_by_with,
    "sql commit": lambda db: db.execute("commit"),
    "sql end": lambda db: db.cursor().execute("/* done */ end"),
    "sql rollback": lambda db: db.cursor().execute("rollback"),
    "and chain": lambda db: db.execute("rollback and chain"),
    "script": lambda db: db.execute("select 1; commit; begin"),
    "prepare": committed_in_two,
    "checked early": lambda db: db.execute("set constraints all immediate"),
    "a new one": lambda db: db.execute("rollback; begin; set local work_mem = '1MB'"),
}


@pytest.fixture(params=ENDINGS)
def end(request: pytest.FixtureRequest) -> Callable[[Db], object]:
    return ENDINGS[request.param]


def test_savepoints_are_allowed(store, orders):
    with store.transaction() as db:
        db.execute(ORDER)
        with suppress(ValueError), db.transaction():
            db.execute("insert into orders (what) values ('butter')")
            raise ValueError
        with db.transaction():
            db.execute("insert into orders (what) values ('bread')")

    assert orders() == ["milk", "bread"]


def test_an_error_that_was_swallowed_is_told(store, orders):
    def work() -> None:
        with store.transaction() as db:
            db.execute(ORDER)
            with suppress(psycopg.Error):
                db.execute("select * from nothing_of_this_name")

    with pytest.raises(NothingHappened, match="and Postgres refused the rest"):
        work()

    assert orders() == []


def test_a_deferred_constraint_is_the_borrowers_affair(store, url):
    def work() -> None:
        with store.transaction() as db:
            db.execute("insert into lines values (17)")

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        work()


def test_who_idles_or_works_for_too_long_loses_it_all(store, url, orders):
    def work(slow: Callable[[Db], object]) -> None:
        with lent(url, lock_timeout_s=1, timeout_s=0.1) as db:
            db.execute(ORDER)
            slow(db)

    for slow in (
        lambda _: time.sleep(0.3),
        lambda db: db.execute("select pg_sleep(5)"),
        lambda db: [db.execute("select pg_sleep(0.05)") for _ in range(4)],
    ):
        with pytest.raises(NothingHappened, match=r"more than 0\.1 s"):
            work(slow)
    assert orders() == []


def test_a_server_that_is_not_there_lends_nothing(tmp_path):
    url = f"postgresql://postgres@/x?host={tmp_path}"
    with pytest.raises(StoreUnavailable), lent(url, lock_timeout_s=0.05):
        pass


def test_a_loan_leaves_no_row(store, url):
    with store.transaction() as db:
        db.execute(ORDER)
    with psycopg.connect(url) as db:
        assert db.execute("select count(*) from twelvefold_loans").fetchone() == (0,)
    assert TRANSACTION_TIMEOUT_S < LOCK_TIMEOUT_S


# A tool


def shop(store: PostgresStore, tool: Callable[..., Any]) -> App:
    def decide(_: Any, state: Any) -> Any:
        if state.ready:
            return run(tool, state.ready[0].step, in_transaction=True, ungated="a test")
        if state.finished:
            return Wait()
        return Choose(Pay(to="x")) if state.last(Pay) is None else Finish("done")

    from twelvefold.agent import Agent

    return app_of(Agent("crew", decide, Pay, owner="olga"), store)


async def test_what_a_tool_writes_commits_with_its_outcome(store, orders):
    def buy(step: Pay, call: Call[None]) -> str:
        cast(Db, call.connection).execute("insert into orders (what) values (%s)", (call.key,))
        assert orders() == []
        return "bought"

    app = shop(store, buy)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    assert orders() == ["default/t/s1"]
    assert [event.data["result"] for event in events(app, "tool_returned")] == ["bought"]


async def test_a_tool_that_raises_or_commits_has_written_nothing(store, orders):
    def buy(step: Pay, call: Call[None]) -> str:
        call.connection.execute(ORDER)
        if len(orders_tried) == 0:
            orders_tried.append("first")
            raise ValueError("sold out")
        call.connection.commit()
        return "bought"

    orders_tried: list[str] = []
    app = shop(store, buy)
    for name in ("t", "u"):
        await app.launch("crew", "go", thread_id=name)
        await settle(app)
        [failed] = events(app, "tool_failed", name)
        assert ("sold out" if name == "t" else "commits by itself") in failed.data["error"]

    assert orders() == []
