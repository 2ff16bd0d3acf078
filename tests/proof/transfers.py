"""Money that moves between rows of the application's own table, beside the log."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any, ClassVar, Literal

import psycopg

from twelvefold import (
    Agent,
    All,
    App,
    Approve,
    Call,
    Choose,
    Effect,
    Finish,
    State,
    Step,
    Thread,
    Wait,
    run,
)
from twelvefold.store import EmbeddedStore
from twelvefold.testing import Point


class Transfer(Step):
    """Nothing keeps it from happening twice, but that it commits with its outcome."""

    risk: ClassVar = "high"
    intent: Literal["transfer"] = "transfer"
    payer: str
    payee: str
    amount: int


STEPS = (
    Transfer(payer="anna", payee="ben", amount=10),
    Transfer(payer="ben", payee="carla", amount=5),
    Transfer(payer="carla", payee="anna", amount=1000),  # which she does not have
)
SCHEMA = """
create table if not exists orders (id text primary key);
create table if not exists accounts (name text primary key, balance integer not null);
create table if not exists transfers (key text not null);
insert into accounts values ('anna', 100), ('ben', 100), ('carla', 100) on conflict do nothing;
"""


class Books:
    """The application's own tables, in the file of the log."""

    place = "?"
    """Where a value stands in a statement."""

    def __init__(self, where: str) -> None:
        self.where = where
        with closing(self.open()) as db:
            self.make(db)

    def open(self) -> Any:
        return sqlite3.connect(self.where)

    def make(self, db: Any) -> None:
        db.executescript(SCHEMA)

    def place_order(self, app: App, point: Point) -> None:
        """An order and the thread that carries it out: both, or neither."""
        with closing(self.open()) as db:
            if db.execute("select 1 from orders").fetchone():
                return
            db.execute("insert into orders values ('o1')")
            point("after the order is written")
            app.sync.within(db).launch("transfers", "carry out o1", thread_id="m1")
            point("after the launch in its transaction")
            db.commit()
            point("after the order committed")

    def counts(self) -> Mapping[str, int]:
        """How often each transfer took place, and what everybody has now."""
        with closing(self.open()) as db:
            made = db.execute("select key, count(*) from transfers group by key").fetchall()
            balances = db.execute("select name, balance from accounts").fetchall()
        return dict(made) | {f"{name} has {balance}": 1 for name, balance in balances}


class PostgresBooks(Books):
    """The same in the database of the log."""

    place = "%s"

    def open(self) -> Any:
        return psycopg.connect(self.where)

    def make(self, db: Any) -> None:
        db.execute(SCHEMA)
        db.commit()


def transfers_app(point: Point, *, store: EmbeddedStore, books: Books) -> App:
    """Three transfers chosen at once, approved one by one, made side by side."""
    place = books.place

    def transfer(step: Transfer, call: Call[None]) -> str:
        db = call.connection
        change = f"update accounts set balance = balance + {place} where name = {place}"
        # By name: transactions that lock rows in one order never wait for each other in a circle.
        point("before the debit")
        (first, of_first), (second, of_second) = sorted(
            [(step.payer, -step.amount), (step.payee, step.amount)]
        )
        db.execute(change, (of_first, first))
        point("between debit and credit")
        db.execute(change, (of_second, second))
        db.execute(f"insert into transfers values ({place})", (call.key,))
        point("after the credit")
        balance = f"select balance from accounts where name = {place}"
        (left,) = db.execute(balance, (step.payer,)).fetchone()
        if left < 0:
            raise ValueError(f"{step.payer} has not enough")
        return f"{step.payer} paid {step.payee}"

    def carry_out(chosen: Any) -> Any:
        if not chosen.approved:
            return Approve(chosen.step, by="anna")
        return run(transfer, chosen.step, in_transaction=True)

    def decide(_: Thread, state: State[Transfer]) -> Effect[Transfer]:
        if state.finished:
            return Wait()
        if not state.open:
            return Choose(*STEPS) if state.last(Transfer) is None else Finish("all done")
        return All(*map(carry_out, state.ready))

    return App([Agent("transfers", decide, Transfer, owner="anna")], store=store)
