"""Promises, each a scenario that holds with every guard in place and breaks without one.

`python promises.py <promise> <folder>` exits 0 when it holds and BROKEN_EXIT, saying how, when not.
"""

import asyncio
import contextlib
import sqlite3
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from crew import (
    PATIENCE_S,
    Clock,
    Gate,
    Ledger,
    Look,
    Meddled,
    Pay,
    app_of,
    approved_then,
    ended,
    events,
    pipeline,
    ran_by,
    ref,
    settle,
    state,
)
from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.effects import Approve, Wait, run
from twelvefold.exceptions import Conflict, NotAllowed
from twelvefold.loop import advance
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import to_text

BROKEN_EXIT = 42
HOUR = timedelta(hours=1)


class Broken(Exception):
    """What the ledger says that it must not say."""


class Killed(BaseException):
    """The process is gone: nothing in it tries again."""


class Desk:
    """One thread `t` on SQLite, and a ledger that lies outside of it."""

    def __init__(self, folder: Path, agent: Callable[["Desk"], Agent], **options: Any) -> None:
        self.path = folder / "agents.db"
        self.ledger = Ledger(folder / "ledger")
        self.store = SqliteStore(self.path)
        self.agent = agent(self)
        self.options = options
        self.app = app_of(self.agent, self.store, **options)

    def pay(self, step: Pay) -> None:
        self.ledger.note(f"paid {step.to}")

    def on(self, store: Any) -> App:
        """The same application on another store."""
        return app_of(self.agent, store, **self.options)

    async def launched(self) -> None:
        await self.app.launch("crew", "go", thread_id="t")
        await settle(self.app)

    def expect(self, *effects: str) -> None:
        if self.ledger.effects != list(effects):
            raise Broken(f"the ledger holds {self.ledger.effects}, not {list(effects)}")


def paying(desk: Desk) -> Agent:
    return pipeline(Pay(to="x"), carry_out=approved_then(desk.pay))


async def a_cancel_right_before_the_commit_stops_the_tool(folder: Path) -> None:
    desk = Desk(folder, paying)
    await desk.launched()
    await desk.app.answer("t.s1.1", "approve", by="anna")

    async def cancel() -> None:
        if not state(desk.app).cancelled:
            await desk.app.cancel("t")

    await settle(desk.on(Meddled(desk.store, "tool_started", cancel)))
    desk.expect()


async def a_delivery_that_comes_twice_is_one_message(folder: Path) -> None:
    def agent(desk: Desk) -> Agent:
        def decide(_: Any, state: Any) -> Any:
            desk.ledger.note(f"{len(state.unread)} unread")
            return Wait()

        return Agent("crew", decide, Look, owner="olga")

    desk = Desk(folder, agent)
    await desk.app.launch("crew", "go", thread_id="t")
    for _ in range(3):
        await desk.app.send("t", "pay x", key="delivery 1 of the webhook")
    await settle(desk.app)
    desk.expect("2 unread")


async def an_advance_that_was_overtaken_starts_nothing(folder: Path) -> None:
    """The first advance thaws while the tool that the second one started still runs."""
    looks, pays = Gate(), Gate()

    def agent(desk: Desk) -> Agent:
        async def pay(step: Pay, call: Any) -> None:
            desk.ledger.note(f"paid {step.to}")
            await pays(step, call)

        def carry_out(chosen: Any) -> Any:
            if isinstance(chosen.step, Look):
                return run(looks, chosen.step)
            if chosen.approved:
                return run(pay, chosen.step, retry_safe=True)
            return Approve(chosen.step, by="anna")

        return pipeline(Look(), Pay(to="x"), carry_out=carry_out)

    desk = Desk(folder, agent)
    await desk.app.launch("crew", "go", thread_id="t")
    first = asyncio.create_task(advance(ref(), desk.app.surroundings))
    await looks.has_begun()
    await desk.app.answer("t.s2.1", "approve", by="anna")
    second = asyncio.create_task(advance(ref(), desk.app.surroundings))
    await pays.has_begun()
    pays.begun.clear()
    looks.let_go.set()
    again = asyncio.create_task(pays.has_begun())
    await asyncio.wait([first, again], return_when=asyncio.FIRST_COMPLETED)
    pays.let_go.set()
    await asyncio.gather(first, second)
    await ended(again)
    desk.expect("paid x")


async def arguments_changed_after_the_yes_do_not_run(folder: Path) -> None:
    desk = Desk(folder, paying)
    await desk.launched()
    await desk.app.answer("t.s1.1", "approve", by="anna")
    tampered = to_text({"intent": "pay", "args": {"to": "mallory"}, "by": "code"})
    with sqlite3.connect(desk.path) as db:
        db.execute(
            "update twelvefold_events set data = ? where type = 'next_step_chosen'", [tampered]
        )
    db.close()
    await settle(desk.app)
    desk.expect()


async def a_risky_step_never_runs_without_a_yes(folder: Path) -> None:
    desk = Desk(folder, lambda desk: pipeline(Pay(to="x"), carry_out=ran_by(desk.pay)))
    await desk.launched()
    desk.expect()


async def a_second_answer_is_told_who_was_first(folder: Path) -> None:
    desk = Desk(folder, paying)
    await desk.launched()
    await desk.app.answer("t.s1.1", "deny", by="anna", comment="no")
    try:
        await desk.app.answer("t.s1.1", "approve", by="bob")
        desk.ledger.note("bob was told that it is done")
    except Conflict as error:
        desk.ledger.note(str(error).partition(",")[0])
    desk.expect("t.s1.1 was already denied by anna")


async def an_answer_that_lost_the_race_is_told_so(folder: Path) -> None:
    desk = Desk(folder, paying)
    await desk.launched()

    async def first() -> None:
        if state(desk.app).open_contacts:
            await desk.app.answer("t.s1.1", "approve", by="anna")

    try:
        late = desk.on(Meddled(desk.store, "contact_answered", first))
        await late.answer("t.s1.1", "deny", by="bob", comment="no")
        desk.ledger.note("bob was told that it is denied")
    except Conflict:
        desk.ledger.note("bob was told that he came second")
    await settle(desk.app)
    desk.expect("bob was told that he came second", "paid x")


async def an_edit_after_the_yes_makes_no_second_step(folder: Path) -> None:
    desk = Desk(folder, paying)
    await desk.launched()
    await desk.app.answer("t.s1.1", "approve", by="anna")
    with contextlib.suppress(Conflict):
        await desk.app.answer("t.s1.1", "edit", by="bob", changes={"to": "y"})
    await settle(desk.app)
    desk.expect("paid x")


async def the_yes_of_a_stranger_runs_nothing(folder: Path) -> None:
    desk = Desk(folder, paying)
    await desk.launched()
    with contextlib.suppress(NotAllowed):
        await desk.app.answer("t.s1.1", "approve", by="eve")
    await settle(desk.app)
    desk.expect()


async def a_late_yes_runs_nothing_though_no_timer_fired(folder: Path) -> None:
    def agent(desk: Desk) -> Agent:
        def carry_out(chosen: Any) -> Any:
            if chosen.approved:
                return run(desk.pay, chosen.step)
            return Approve(chosen.step, by="anna", within=HOUR)

        return pipeline(Pay(to="x"), carry_out=carry_out)

    clock = Clock()
    desk = Desk(folder, agent, clock=clock)
    await desk.launched()
    clock.forward(2 * HOUR)
    with contextlib.suppress(Conflict):
        await desk.app.answer("t.s1.1", "approve", by="anna")
    await settle(desk.app)
    desk.expect()


async def a_run_that_was_cut_off_is_not_repeated_unasked(folder: Path) -> None:
    gate = Gate()

    def agent(desk: Desk) -> Agent:
        async def look(step: Look, call: Any) -> None:
            desk.ledger.note("looked")
            await gate(step, call)

        return pipeline(Look(), carry_out=ran_by(look))

    desk = Desk(folder, agent, stop_grace_s=0)
    await desk.app.launch("crew", "go", thread_id="t")
    running = asyncio.create_task(desk.app.run())
    await gate.has_begun()
    await ended(running)
    gate.let_go.set()
    await settle(desk.app)
    desk.expect("looked")


async def a_late_outcome_is_not_lost(folder: Path) -> None:
    """A run that was declared unknown too early reports after all."""
    gate = Gate()
    desk = Desk(folder, lambda _: pipeline(Look(), carry_out=ran_by(gate)))
    await desk.app.launch("crew", "go", thread_id="t")
    first = asyncio.create_task(advance(ref(), desk.app.surroundings))
    await gate.has_begun()
    await advance(ref(), desk.app.surroundings)
    gate.let_go.set()
    await first
    await settle(desk.app)
    for event in events(desk.app, "tool_returned"):
        desk.ledger.note(f"{event.data['step']} {event.data['result']}")
    desk.expect("s1 done")


def paying_in_transaction(_: Desk) -> Agent:
    def pay(step: Look, call: Any) -> None:
        call.connection.execute("insert into payments values (?)", [step.at])

    return pipeline(Look(at="x"), carry_out=ran_by(pay, in_transaction=True))


async def a_run_that_was_given_up_commits_nothing(folder: Path) -> None:
    """Frozen before it had the lock, it thaws when another advance has done the step."""
    begun, thaw = threading.Event(), threading.Event()

    class Frozen(Meddled):
        def transaction(self) -> Any:
            begun.set()
            thaw.wait(PATIENCE_S)
            return desk.store.transaction()

    async def nothing() -> None: ...

    desk = Desk(folder, paying_in_transaction)
    with contextlib.closing(sqlite3.connect(desk.path)) as db:
        db.execute("create table payments (payee text)")
        await desk.app.launch("crew", "go", thread_id="t")
        frozen = desk.on(Frozen(desk.store, "", nothing))
        first = asyncio.create_task(advance(ref(), frozen.surroundings))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        await advance(ref(), desk.app.surroundings)
        thaw.set()
        await first
        for (payee,) in db.execute("select payee from payments"):
            desk.ledger.note(f"paid {payee}")
    desk.expect("paid x")


async def rows_commit_with_the_outcome_or_not_at_all(folder: Path) -> None:
    """The process ends when the tool's transaction is over, before anything else is recorded."""

    def agent(_: Desk) -> Agent:
        def pay(step: Look, call: Any) -> None:
            call.connection.execute("insert into payments values (?)", [step.at])

        return pipeline(Look(at="x"), carry_out=ran_by(pay, in_transaction=True))

    async def killed() -> None:
        raise Killed

    desk = Desk(folder, paying_in_transaction)
    with contextlib.closing(sqlite3.connect(desk.path)) as db:
        db.execute("create table payments (payee text)")
        await desk.app.launch("crew", "go", thread_id="t")
        dying = desk.on(Meddled(desk.store, "tool_returned", killed))
        with contextlib.suppress(Killed):
            await advance(ref(), dying.surroundings)
        await settle(desk.app)
        for (payee,) in db.execute("select payee from payments"):
            desk.ledger.note(f"paid {payee}")
    desk.expect("paid x")


def main(promise: str, folder: str) -> int:
    try:
        asyncio.run(globals()[promise](Path(folder)))
    except Broken as broken:
        print(broken, file=sys.stderr)  # noqa: T201
        return BROKEN_EXIT
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
