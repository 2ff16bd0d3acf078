"""What must hold for a connection that a store lends: all of it commits, or none.

A test module of a store gives `store`, `orders` (what others read of a table) and `end`: a way in
which whoever has the connection may try to end its transaction.
"""

from contextlib import suppress
from typing import Any

import pytest

from contracts.joined import ORDER, append
from twelvefold.exceptions import NothingHappened


def test_rows_and_events_commit_at_the_end(store, orders):
    with store.transaction() as db:
        db.execute(ORDER)
        store.commit_now(append(), tx=db)
        assert (orders(), store.threads()) == ([], [])

    assert orders() == ["milk"]
    assert store.load("t").head == 1


def test_what_raises_leaves_neither(store, orders):
    def work() -> None:
        with store.transaction() as db:
            db.execute(ORDER)
            store.commit_now(append(), tx=db)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        work()

    assert (orders(), store.threads()) == ([], [])


def ended_by_with(db: Any) -> None:
    with db:
        db.execute("select 1")


@pytest.mark.parametrize("swallowed", [False, True], ids=["raised", "swallowed"])
def test_whoever_tries_to_end_it_loses_what_was_written_and_is_told(store, orders, end, swallowed):
    def work() -> None:
        with store.transaction() as db:
            db.execute(ORDER)
            if not swallowed:
                end(db)
            with suppress(Exception):
                end(db)
            with suppress(Exception):
                db.execute("insert into orders (what) values ('butter')")

    with pytest.raises(NothingHappened, match="Nothing was kept"):
        work()

    assert orders() == []
    store.commit_now(append())
