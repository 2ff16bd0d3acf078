"""Business rows and events in one transaction: the caller's own, on the caller's connection."""

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from contracts.joined import *  # noqa: F403
from contracts.joined import ORDER, append, ids
from crew import Pay, app_of, approved_then, pipeline, seen, types
from twelvefold.app import App
from twelvefold.exceptions import (
    ConfigurationError,
    StoreUnavailable,
    UnknownThread,
    Unstorable,
)
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table orders (id integer primary key, what text)")
    return path


@pytest.fixture
def app(path: Path) -> Iterator[App]:
    """One thread pays when anna says yes; the shop's orders are in the same file."""
    agent = pipeline(Pay(to="x"), carry_out=approved_then(lambda _: "paid"))
    app = app_of(agent, SqliteStore(path))
    yield app
    app.close()


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=0.05)) as db:
        yield db


@pytest.fixture
def orders(path: Path) -> Callable[[], list[str]]:
    def read() -> list[str]:
        with closing(sqlite3.connect(path)) as db:
            return [what for (what,) in db.execute("select what from orders order by id")]

    return read


@pytest.fixture
def engine(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", poolclass=NullPool)


# The caller's transaction


def test_a_refused_verb_that_began_the_transaction_lets_its_lock_go(app, db):
    with pytest.raises(UnknownThread):
        app.sync.within(db).send("nowhere", "hello")

    assert not db.in_transaction
    app.sync.launch("crew", "go", thread_id="t")


def test_an_append_that_fails_half_way_is_undone_alone(app, db, orders):
    db.execute(ORDER)
    db.execute(
        "create temp trigger full before insert on twelvefold_wakes"
        " begin select raise(fail, 'no'); end"
    )
    with pytest.raises(StoreUnavailable, match="did not answer: no"):
        app.store.commit_now(append(), tx=db)
    db.commit()

    assert (orders(), ids(app)) == (["milk"], [])


def test_what_cannot_be_stored_is_named_as_ever(app, db):
    with pytest.raises(Unstorable):
        app.store.commit_now(append("\ud800"), tx=db)


async def test_the_engine_notices_what_the_caller_committed(app, db):
    running = asyncio.create_task(app.run())
    await app.launch("crew", "first", thread_id="first")
    await seen(app, "first", "contact_requested")

    app.sync.within(db).launch("crew", "go", thread_id="t")
    db.commit()

    await seen(app, "t", "contact_requested")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def test_a_commit_through_another_connection_of_this_process_is_a_change(app, db):
    app.store.changed()
    app.sync.within(db).launch("crew", "go", thread_id="t")
    assert not app.store.changed()

    db.commit()

    assert app.store.changed()
    assert not app.store.changed()


# The write lock comes before what is checked


def test_a_transaction_that_read_an_older_state_is_refused_and_may_try_again(app, db):
    db.execute("begin")
    assert db.execute("select count(*) from orders").fetchone() == (0,)
    app.sync.launch("crew", "go", thread_id="t")

    with pytest.raises(StoreUnavailable, match="Roll back and do it again") as refused:
        app.sync.within(db).send("t", "hello")

    assert refused.value.retryable
    assert types(app) == ["message_received"]
    db.rollback()
    app.sync.within(db).send("t", "hello")
    db.commit()
    assert types(app) == ["message_received"] * 2


def test_a_transaction_that_has_only_read_may_still_write(app, db):
    db.execute("begin")
    db.execute("select count(*) from orders").fetchone()
    app.sync.within(db).launch("crew", "go", thread_id="t")
    db.commit()

    assert ids(app) == ["t"]


@pytest.mark.parametrize("begun", ["", "begin"])
def test_a_lock_that_somebody_else_holds_is_worth_a_retry(app, db, path, begun):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        if begun:
            db.execute(begun)
        with pytest.raises(StoreUnavailable, match="is locked") as refused:
            app.sync.within(db).launch("crew", "go")

    assert refused.value.retryable


def test_while_the_caller_holds_the_lock_nobody_else_can_write(app, path):
    impatient = SqliteStore(path, lock_timeout_s=0.02)
    with closing(sqlite3.connect(path)) as db:
        impatient.commit_now(append(), tx=db)
        with pytest.raises(StoreUnavailable):
            impatient.commit_now(append("other"))
        db.commit()
    impatient.close()


# Which connection


def test_another_file_is_refused_by_both_names(app, path, tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        with pytest.raises(ConfigurationError) as refused:
            app.sync.within(other).launch("crew", "go")
        assert not other.in_transaction

    assert "other.db" in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_database_in_memory_is_another_one(app):
    with (
        closing(sqlite3.connect(":memory:")) as other,
        pytest.raises(ConfigurationError, match="a database in memory"),
    ):
        app.sync.within(other).launch("crew", "go")


def test_the_same_file_under_another_name_is_the_same(app, path, monkeypatch):
    link = path.with_name("link.db")
    link.symlink_to(path)
    with closing(sqlite3.connect(link)) as db:
        app.sync.within(db).launch("crew", "go", thread_id="t")
        db.commit()

    assert ids(app) == ["t"]


def test_a_relative_path_is_where_it_was_opened(path, tmp_path, monkeypatch, db):
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("shop.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    store.commit_now(append(), tx=db)
    db.commit()

    assert store.load("t").head == 1
    store.close()


def test_a_connection_that_commits_by_itself_has_no_transaction_to_join(app, path):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        with pytest.raises(ConfigurationError, match="begin immediate"):
            app.sync.within(db).launch("crew", "go", thread_id="t")
        db.execute("begin")
        app.sync.within(db).launch("crew", "go", thread_id="t")
        assert ids(app) == []
        db.execute("commit")

    assert ids(app) == ["t"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="autocommit came with Python 3.12")
@pytest.mark.parametrize("autocommit", [False, True])
def test_the_newer_way_to_control_transactions_is_known(app, path, autocommit):
    options: Any = {"autocommit": autocommit}
    with closing(sqlite3.connect(path, **options)) as db:
        if autocommit:
            with pytest.raises(ConfigurationError, match="autocommit"):
                app.sync.within(db).launch("crew", "go")
        else:
            app.sync.within(db).launch("crew", "go", thread_id="t")
            db.commit()
            assert ids(app) == ["t"]


def test_the_callers_way_of_reading_rows_is_kept(app, db, path):
    def as_dict(cursor: sqlite3.Cursor, row: Any) -> dict[str, Any]:
        return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}

    db.row_factory, db.text_factory = as_dict, bytes
    app.sync.within(db).launch("crew", "go", thread_id="t")
    app.sync.within(db).send("t", "hello")
    db.execute(ORDER)

    assert db.execute("select what from orders").fetchall() == [{"what": b"milk"}]
    db.commit()
    assert types(app) == ["message_received"] * 2


def test_a_connection_of_another_thread_is_refused(app, db):
    refusals: list[Exception] = []

    def elsewhere() -> None:
        try:
            app.sync.within(db).launch("crew", "go")
        except ConfigurationError as error:
            refusals.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "thread" in str(refusals[0])


def test_what_leads_to_no_connection_is_refused(app):
    with pytest.raises(ConfigurationError, match="got object"):
        app.sync.within(object()).launch("crew", "go")


def test_a_connection_that_must_be_awaited_is_refused(app):
    class AsyncConnection:
        async def connection(self) -> None: ...

    with pytest.raises(ConfigurationError, match="an async one works in another thread"):
        app.sync.within(AsyncConnection()).launch("crew", "go")


def test_a_store_without_transactions_to_share_says_so():
    app = app_of(pipeline(Pay(to="x"), carry_out=approved_then(print)), MemoryStore())

    with pytest.raises(ConfigurationError, match="MemoryStore shares no transaction"):
        app.sync.within(object()).launch("crew", "go")
    with pytest.raises(ConfigurationError, match="MemoryStore shares no transaction"):
        app.store.commit_now(append(), tx=object())
