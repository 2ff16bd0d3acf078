"""Several processes at once: one wins, the others are told, and nothing is done twice."""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import racers
from reporting import Report, twice

from crew import Look, settle
from twelvefold.app import App
from twelvefold.thread import Thread

ROUNDS = 40
ROUNDS_WITHOUT_LOCK = 12
SPAWN = multiprocessing.get_context("spawn")


def race(run: Callable[..., None], folder: Path, racing: int, rounds: int, *more: Any) -> None:
    """The same function in several processes, which meet before each round."""
    barrier = SPAWN.Barrier(racing)
    processes = [
        SPAWN.Process(target=run, args=(folder, n, rounds, barrier, *more)) for n in range(racing)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * racing


async def launched(app: App, rounds: int) -> None:
    for round in range(rounds):
        await app.launch("crew", "go", thread_id=f"t{round}")


def test_of_four_answers_in_one_instant_one_wins_and_the_others_are_told(
    tmp_path: Path, proof: Report
) -> None:
    expect_one_winner(tmp_path, ROUNDS, proof)


def expect_one_winner(folder: Path, rounds: int, proof: Report) -> None:
    app = racers.paying(folder)
    asyncio.run(launched(app, rounds))
    asyncio.run(settle(app))
    answers = SPAWN.SimpleQueue()

    race(racers.answer_all, folder, len(racers.PEOPLE), rounds, answers)

    asyncio.run(settle(app))
    told = [answers.get() for _ in range(rounds * len(racers.PEOPLE))]
    paid = Counter(racers.ledger_in(folder).effects)
    proof.add(runs=rounds, duplicated=twice(racers.ledger_in(folder).effects))
    for round in range(rounds):
        mine = [answer[1:] for answer in told if answer[0] == round]
        [(winner, decision)] = [(who, what) for who, what, refused in mine if refused is None]
        word = {"approve": "approved", "deny": "denied"}[decision]
        refusals = [refused for *_, refused in mine if refused]
        assert all(f"was already {word} by p{winner}" in refused for refused in refusals)
        assert paid[f"default/t{round}/s1"] == (decision == "approve")
        counts = Counter(event.type for event in app.thread(f"t{round}").events)
        assert (counts["contact_answered"], counts["contact_closed"]) == (1, 1)
        assert (counts["answer_refused"], counts["finished"]) == (3, 1)
    app.close()


def test_advances_without_a_lock_start_and_run_nothing_twice(tmp_path: Path, proof: Report) -> None:
    expect_nothing_twice(tmp_path, ROUNDS_WITHOUT_LOCK, proof)


def expect_nothing_twice(folder: Path, rounds: int, proof: Report) -> None:
    app = racers.looking(folder)
    asyncio.run(launched(app, rounds))

    race(racers.advance_all, folder, 3, rounds)

    ran_in_the_race = Counter(racers.ledger_in(folder).effects)
    asyncio.run(brought_home(app, set(ran_in_the_race)))
    ran = Counter(racers.ledger_in(folder).effects)
    looks_in_all = rounds * (1 + racers.LOOKS)
    proof.add(runs=rounds, lost=looks_in_all - len(ran), duplicated=twice(ran.elements()))
    for round in range(rounds):
        thread = app.thread(f"t{round}")
        assert set(starts(thread).values()) == {1}
        looks = [f"default/t{round}/{chosen.id}" for chosen in app.state(thread).all(Look)]
        assert len(looks) == 1 + racers.LOOKS
        assert {ran[look] for look in looks} == {1}
    assert set(ran.values()) == {1}
    app.close()


def starts(thread: Thread) -> Counter[tuple[str, int]]:
    started = (event.data for event in thread.events if event.type == "tool_started")
    return Counter((data["step"], data["attempt"]) for data in started)


async def brought_home(app: App, ran: set[str]) -> None:
    """What a race left unknown, its owner settles by looking into the ledger."""
    await settle(app)
    while asked := app.inbox():
        for row in asked:
            did = f"default/{row.ref.id}/{row.data['step']}" in ran
            decision = "it_ran" if did else "run_again"
            await app.answer(f"{row.ref.id}.{row.id}", decision, by="olga", value="seen")
        await settle(app)
