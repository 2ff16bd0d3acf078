"""What a verb in a transaction of the caller's must do, in every store that shares one.

A test module of a store gives `app` (one thread pays when anna says yes), `db` (the caller's
connection), `orders` (what others read of the shop's table) and `engine` (of SQLAlchemy).
"""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from contracts.store import message
from crew import events, settle, status, types
from twelvefold.app import App
from twelvefold.exceptions import (
    ConfigurationError,
    Conflict,
    NotAllowed,
    UnknownThread,
    Unstorable,
)
from twelvefold.store import Append, Create
from twelvefold.thread import Draft

ORDER = "insert into orders (what) values ('milk')"


def ids(app: App) -> list[str]:
    return [row.ref.id for row in app.threads()]


def append(thread_id: str = "t", *drafts: Draft, **options: Any) -> Append:
    drafts = drafts or (message(),)
    return Append(thread_id, drafts, create=Create("crew"), wake=True, **options)


def test_a_row_and_a_launch_commit_together(app, db, orders):
    db.execute(ORDER)
    app.sync.within(db).launch("crew", "go", thread_id="t")
    assert (orders(), ids(app)) == ([], [])

    db.commit()

    assert (orders(), ids(app)) == (["milk"], ["t"])
    assert [woken.ref.id for woken in app.store.woken()] == ["t"]


def test_a_rollback_leaves_neither(app, db, orders):
    db.execute(ORDER)
    app.sync.within(db).launch("crew", "go", thread_id="t")

    db.rollback()

    assert (orders(), ids(app), app.store.woken()) == ([], [], [])
    app.sync.launch("crew", "go", thread_id="t")
    assert types(app) == ["message_received"]


def test_a_verb_begins_the_transaction_that_the_caller_commits(app, db, orders):
    app.sync.within(db).launch("crew", "go", thread_id="t")
    db.execute(ORDER)
    assert (orders(), ids(app)) == ([], [])
    db.commit()

    assert (orders(), ids(app)) == (["milk"], ["t"])


def test_verbs_of_one_transaction_see_each_other(app, db):
    verb = app.sync
    verb.within(db).launch("crew", "go", thread_id="t")
    verb.within(db).send("t", "and butter", key="d1")
    verb.within(db).send("t", "and butter", key="d1")
    verb.within(db).signal("t", "merged", {"sha": "4af9ec0"})
    db.commit()

    assert types(app) == ["message_received", "message_received", "signal_received"]


async def test_an_answer_and_a_row_commit_together(app, db, orders):
    await app.launch("crew", "go", thread_id="t")
    await settle(app)

    db.execute("insert into orders (what) values ('approved by anna')")
    app.sync.within(db).answer("t.s1.1", "approve", by="anna")
    assert len(app.inbox()) == 1
    db.commit()

    await settle(app)
    assert orders() == ["approved by anna"]
    assert status(app) == "finished"


async def test_a_refused_answer_leaves_its_record_to_the_caller(app, db, orders):
    await app.launch("crew", "go", thread_id="t")
    await settle(app)
    db.execute(ORDER)

    with pytest.raises(NotAllowed):
        app.sync.within(db).answer("t.s1.1", "approve", by="eve")

    db.commit()
    assert len(events(app, "answer_refused")) == 1
    assert orders() == ["milk"]


def test_a_refused_verb_harms_nothing_of_the_callers(app, db, orders):
    db.execute(ORDER)
    with pytest.raises(UnknownThread):
        app.sync.within(db).send("nowhere", "hello")
    with pytest.raises(Unstorable):
        app.store.commit_now(append("\ud800"), tx=db)
    with pytest.raises(UnknownThread):
        app.sync.within(db).send("\ud800", "hello")
    db.commit()

    assert orders() == ["milk"]


def test_a_store_inside_a_transaction_joins_no_second_one(app, db):
    with app.store.within(db) as inside, pytest.raises(ConfigurationError, match="already"):
        inside.commit_now(append(), tx=db)


# SQLAlchemy


def test_an_sqlalchemy_transaction_holds_a_row_and_a_launch(app, engine, orders):
    with Session(engine) as session, session.begin():
        session.execute(text(ORDER))
        app.sync.within(session).launch("crew", "go", thread_id="t")
        assert ids(app) == []

    assert (orders(), ids(app)) == (["milk"], ["t"])


def test_an_sqlalchemy_rollback_leaves_neither(app, engine, orders):
    def order_and_launch_twice() -> None:
        with Session(engine) as session, session.begin():
            app.sync.within(session).launch("crew", "go", thread_id="t")
            session.execute(text(ORDER))
            app.sync.within(session).launch("crew", "something else", thread_id="t")

    with pytest.raises(Conflict):
        order_and_launch_twice()

    assert (orders(), ids(app)) == ([], [])


def test_every_sqlalchemy_thing_that_has_a_connection_will_do(app, engine):
    with engine.begin() as connection:
        app.sync.within(connection).launch("crew", "go", thread_id="a")
        app.sync.within(connection.connection).launch("crew", "go", thread_id="b")
    scoped = scoped_session(sessionmaker(engine))
    app.sync.within(scoped).launch("crew", "go", thread_id="c")
    scoped.commit()
    scoped.remove()

    assert set(ids(app)) == {"a", "b", "c"}
