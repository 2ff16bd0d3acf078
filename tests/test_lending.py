"""The connection that a store lends: all of it commits, or none, and the borrower cannot end it."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from contracts.joined import ORDER, append
from contracts.lent import *  # noqa: F403
from contracts.lent import ended_by_with
from crew import PATIENCE_S
from twelvefold.exceptions import NothingHappened, StoreUnavailable
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.stores.sqlite.lending import TRANSACTION_TIMEOUT_S, lent
from twelvefold.stores.sqlite.store import LOCK_TIMEOUT_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table orders (id integer primary key, what text unique)")
        db.execute("create table lines (n integer references orders (id))")
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, lock_timeout_s=0.05)
    yield store
    store.close()


@pytest.fixture
def orders(path: Path) -> Callable[[], list[str]]:
    def read() -> list[str]:
        with closing(sqlite3.connect(path)) as db:
            return [what for (what,) in db.execute("select what from orders order by id")]

    return read


def test_nobody_else_writes_meanwhile_and_everybody_can_afterwards(store):
    with store.transaction(), pytest.raises(StoreUnavailable):
        store.commit_now(append())

    store.commit_now(append())


def test_waiting_for_the_lock_ends(store):
    with store.transaction(), pytest.raises(StoreUnavailable), store.transaction():
        pass


def test_a_file_that_is_gone_cannot_be_lent(tmp_path):
    missing = tmp_path / "no" / "such.db"
    with pytest.raises(StoreUnavailable), lent(str(missing), lock_timeout_s=0.05):
        pass


def closed(db: Any) -> None:
    with closing(db):
        db.execute("select 1")


ENDINGS: dict[str, Callable[[Any], object]] = {
    "commit": lambda db: db.commit(),
    "rollback": lambda db: db.rollback(),
    "close": lambda db: db.close(),
    "with": ended_by_with,
    "closing": closed,
    "sql commit": lambda db: db.execute("commit"),
    "sql rollback": lambda db: db.cursor().execute("rollback"),
    "script": lambda db: db.executescript("select 1; commit;"),
    "attach": lambda db: db.execute("attach ':memory:' as other"),
}


@pytest.fixture(params=ENDINGS)
def end(request: pytest.FixtureRequest) -> Callable[[Any], object]:
    return ENDINGS[request.param]


def test_savepoints_are_allowed(store, orders):
    with store.transaction() as db:
        db.execute(ORDER)
        db.execute("savepoint mine")
        db.execute("insert into orders (what) values ('butter')")
        db.execute("rollback to mine")
        db.execute("release mine")

    assert orders() == ["milk"]


def test_an_error_of_one_statement_may_be_handled(store, orders):
    with store.transaction() as db:
        db.execute(ORDER)
        with suppress(sqlite3.IntegrityError):
            db.execute(ORDER)

    assert orders() == ["milk"]


def test_after_sqlite_has_rolled_back_by_itself_nothing_runs_on(store, orders):
    """`or rollback` ends the transaction; what came next would commit alone."""

    def work() -> None:
        with store.transaction() as db:
            db.execute(ORDER)
            with suppress(sqlite3.IntegrityError):
                db.execute("insert or rollback into orders (what) values ('milk')")
            for statement in (ORDER, "with w as (select 1) insert into orders select 7, 'butter'"):
                with suppress(NothingHappened):
                    db.execute(statement)
            with suppress(NothingHappened):
                store.commit_now(append(), tx=db)

    with pytest.raises(NothingHappened, match="SQLite ended its transaction"):
        work()

    assert (orders(), store.threads()) == ([], [])


def test_declared_foreign_keys_are_checked(store):
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        db.execute("insert into lines values (42)")


def test_the_lock_is_given_back_when_the_borrower_takes_too_long(path, store, orders):
    given_back = threading.Event()

    def work() -> None:
        with lent(str(path), lock_timeout_s=1.0, timeout_s=0.02) as db:
            db.execute(ORDER)
            deadline = time.monotonic() + PATIENCE_S
            while db.in_transaction and time.monotonic() < deadline:
                time.sleep(0.001)
            store.commit_now(append())  # the lock is free, although this block goes on
            given_back.set()
            with suppress(NothingHappened):
                db.execute(ORDER)

    with pytest.raises(NothingHappened, match=r"held the write lock for more than 0\.02 s"):
        work()

    assert given_back.is_set()
    assert orders() == []


def test_a_statement_that_takes_too_long_is_interrupted(path, orders):
    forever = (
        "with recursive n (i) as (select 1 union all select i + 1 from n) select max(i) from n"
    )

    def work() -> None:
        with lent(str(path), lock_timeout_s=1.0, timeout_s=0.02) as db:
            db.execute(ORDER)
            db.execute(forever).fetchone()

    with pytest.raises(NothingHappened, match="Do slow work before it"):
        work()

    assert orders() == []


def test_a_borrower_gives_the_lock_back_before_others_give_up():
    assert TRANSACTION_TIMEOUT_S < LOCK_TIMEOUT_S


def test_a_deferred_constraint_is_the_borrowers_error(store, path):
    def work() -> None:
        with store.transaction() as db:
            db.execute("pragma defer_foreign_keys = on")
            db.execute("insert into lines values (42)")

    with pytest.raises(sqlite3.IntegrityError):
        work()

    store.commit_now(append())
