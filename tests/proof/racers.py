"""The processes that race in test_races.py, and the agents they race over."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from places import store_in

from crew import Ledger, Look, Pay, app_of, approved_then, pipeline, ref
from twelvefold.agent import Agent
from twelvefold.app import App, SyncApp
from twelvefold.contacts import Decision
from twelvefold.context import render
from twelvefold.effects import AskModel, Wait, run
from twelvefold.exceptions import Conflict, TwelvefoldError
from twelvefold.loop import advance
from twelvefold.state import State
from twelvefold.thread import Thread

PEOPLE = ("p0", "p1", "p2", "p3")
BARRIER_S = 60.0
LOOKS = 5
"""Messages of a round, one per turn, besides the first."""
ADVANCES = 3


def ledger_in(folder: Path) -> Ledger:
    return Ledger(folder / "ledger")


def paying(folder: Path) -> App:
    """Pays when one of four people says yes."""
    ledger = ledger_in(folder)

    def pay(_: Pay, call: Any) -> None:
        ledger.note(call.key)

    agent = pipeline(Pay(to="x"), carry_out=approved_then(pay, by=PEOPLE))
    return app_of(agent, store_in(folder))


def looking(folder: Path) -> App:
    """Looks once per message, with a tool that may not be repeated blindly."""
    ledger = ledger_in(folder)

    def look(_: Look, call: Any) -> str:
        ledger.note(call.key)
        return "seen"

    def decide(thread: Thread, state: State[Look]) -> Any:
        if state.ready:
            return run(look, state.ready[0].step)
        messages = sum(event.type == "message_received" for event in thread.events)
        enough = len(state.all(Look)) >= messages
        return Wait() if state.waiting or enough else AskModel(lambda: render(thread), Look)

    agent = Agent("crew", decide, Look, owner="olga", limits=None)
    return app_of(agent, store_in(folder), lambda _: Look())


def decision_of(person: int, round: int) -> Decision:
    return "approve" if (person + round) % 2 else "deny"


def answer_all(folder: Path, person: int, rounds: int, barrier: Any, told: Any) -> None:
    """One person's process: answers the contact of each round in the same instant as the others,
    then advances what there is, if nobody else does."""
    app = paying(folder)
    verb = SyncApp(app)
    for round in range(rounds):
        decision = decision_of(person, round)
        barrier.wait(BARRIER_S)
        try:
            verb.answer(f"t{round}.s1.1", decision, by=PEOPLE[person], comment="no")
            told.put((round, person, decision, None))
        except Conflict as error:
            told.put((round, person, decision, str(error)))
        asyncio.run(app.run(until_idle=True, wait_for_lock=False))
    app.close()


def advance_all(folder: Path, racer: int, rounds: int, barrier: Any) -> None:
    """Advances the thread of each round together with the others, without any lock, while racer 0
    sends it messages."""
    app = looking(folder)
    for round in range(rounds):
        for _ in range(LOOKS):
            barrier.wait(BARRIER_S)
            asyncio.run(_one_turn(app, f"t{round}", sends=racer == 0))
    app.close()


async def _one_turn(app: App, thread_id: str, *, sends: bool) -> None:
    if sends:
        await app.send(thread_id, "look again")
    for _ in range(ADVANCES):
        with contextlib.suppress(TwelvefoldError):
            await advance(ref(thread_id), app.surroundings)
