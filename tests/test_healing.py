"""Wakes and timers that were deleted by hand come back when the lists are made again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crew import START, Clock, Nap, Question, app_of, pipeline, settle, status, types
from twelvefold.app import App
from twelvefold.directory import Directory
from twelvefold.effects import Ask, Sleep, Tell, escalate
from twelvefold.store import Append, Due, Timer
from twelvefold.stores.postgres import PostgresStore
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import Postbox

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
NEVER = START + timedelta(days=9999)
PEOPLE = Directory(
    addresses={"anna": {"mail": "anna@example.com"}, "bob": {"mail": "bob@example.com"}}
)


Store = SqliteStore | PostgresStore


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "agents.db")
    else:
        store = PostgresStore(request.getfixturevalue("postgres_url"))
    yield store
    store.close()


def sql(store: Store, statement: str) -> None:
    if isinstance(store, PostgresStore):
        with psycopg.connect(store.url) as db:
            db.execute(statement.encode())
    else:
        with closing(sqlite3.connect(store.path, isolation_level=None)) as file:
            file.execute(statement)


def asks(store: Store, *, clock: Clock, post: Postbox, **options: Any) -> App:
    ask = lambda c: Ask(c.step, "Which?", to="anna", within=2 * HOUR, **options)  # noqa: E731
    agent = pipeline(Question(), carry_out=ask)
    return app_of(agent, store, clock=clock, channels=[post], directory=PEOPLE)


def timers(store: Store) -> list[Due]:
    return store.due(NEVER)


async def test_a_wake_that_was_deleted_comes_back(store: Store):
    app = app_of(pipeline(Question(), carry_out=lambda c: Ask(c.step, "?", to="anna")), store)
    await app.launch("crew", "go", thread_id="t")
    sql(store, "delete from twelvefold_wakes")
    await settle(app)
    assert types(app) == ["message_received"]

    assert store.rebuild() == (1, ())
    await settle(app)
    assert (status(app), store.woken()) == ("waiting", [])


@pytest.mark.parametrize("lost", ["remind:s1.1", "send:s1.1", "expire:s1.1"])
async def test_timers_of_a_question_come_back_as_the_log_says(store: Store, lost: str):
    clock, post = Clock(), Postbox("mail", failures=[OSError("down")] * 2)
    app = asks(store, clock=clock, post=post, remind=HOUR)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    before = timers(store)
    assert {due.key for due in before} == {"expire:s1.1", "remind:s1.1", "send:s1.1"}
    sql(store, f"delete from twelvefold_timers where key = '{lost}'")

    store.rebuild()
    await settle(app)

    after = timers(store)
    assert [due.key for due in after if due not in before] in ([], ["send:s1.1"])
    assert {due.key for due in after} == {due.key for due in before}


async def test_a_sleep_whose_timer_was_deleted_ends(store: Store):
    clock = Clock()
    agent = pipeline(Nap(), carry_out=lambda chosen: Sleep(chosen.step, START + HOUR))
    app = app_of(agent, store, clock=clock)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    sql(store, "delete from twelvefold_timers")
    clock.forward(HOUR)
    await settle(app)
    assert status(app) == "waiting"

    store.rebuild()
    await settle(app)
    assert status(app) == "finished"


async def test_a_question_is_passed_on_although_its_deadline_was_deleted(store: Store):
    clock, post = Clock(), Postbox("mail")
    app = asks(store, clock=clock, post=post, on_expiry=escalate(to="bob", within=HOUR))
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    sql(store, "delete from twelvefold_timers")
    store.rebuild()
    clock.forward(2 * HOUR)
    await settle(app)

    assert "contact_escalated" in types(app)
    assert {one.recipient.person for one in post.sent} == {"anna", "bob"}


async def test_what_was_told_is_sent_once_although_its_timer_was_deleted(store: Store):
    post = Postbox("mail", failures=[OSError("down")])
    agent = pipeline(Question(), carry_out=lambda c: Tell(c.step, "Hello", to="anna"))
    app = app_of(agent, store, clock=(clock := Clock()), channels=[post], directory=PEOPLE)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    assert (status(app), post.sent) == ("finished", [])
    sql(store, "delete from twelvefold_timers")

    store.rebuild()
    clock.forward(HOUR)
    await settle(app)
    store.rebuild()
    await settle(app)
    assert [one.recipient.person for one in post.sent] == ["anna"]


async def test_what_rests_is_left_as_it_is(store: Store):
    clock, post = Clock(), Postbox("mail")
    app = asks(store, clock=clock, post=post, remind=HOUR)
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    before, head, sent = timers(store), app.thread("t").head, len(post.sent)
    await store.commit(Append("t", [], timers=[Timer("expire:s1.1", START + 3 * HOUR)]))
    moved = timers(store)

    store.rebuild()
    assert [due for due in timers(store) if due.key != "send:s1.1"] == moved != before
    await settle(app)

    assert (app.thread("t").head, len(post.sent), timers(store)) == (head, sent, moved)
