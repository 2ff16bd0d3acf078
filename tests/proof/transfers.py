"""Money that moves between rows of the application's own table, in the file of the log."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Literal

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
insert or ignore into accounts values ('anna', 100), ('ben', 100), ('carla', 100);
"""


class Books:
    """The application's own tables."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as db:
            db.executescript(SCHEMA)

    def place_order(self, app: App, point: Point) -> None:
        """An order and the thread that carries it out: both, or neither."""
        with closing(sqlite3.connect(self.path)) as db:
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
        with closing(sqlite3.connect(self.path)) as db:
            made = db.execute("select key, count(*) from transfers group by key").fetchall()
            balances = db.execute("select name, balance from accounts").fetchall()
        return dict(made) | {f"{name} has {balance}": 1 for name, balance in balances}


def transfers_app(point: Point, *, store: EmbeddedStore) -> App:
    """Three transfers chosen at once, approved one by one, made side by side."""

    def transfer(step: Transfer, call: Call[None]) -> str:
        db: sqlite3.Connection = call.connection
        change = "update accounts set balance = balance + ? where name = ?"
        point("before the debit")
        db.execute(change, (-step.amount, step.payer))
        point("between debit and credit")
        db.execute(change, (step.amount, step.payee))
        db.execute("insert into transfers values (?)", (call.key,))
        point("after the credit")
        (left,) = db.execute(
            "select balance from accounts where name = ?", (step.payer,)
        ).fetchone()
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
