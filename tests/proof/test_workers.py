"""Two workers on one log: killed, frozen, cut off from the server, and poisoned by a thread."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from crewing import PATIENCE_S, Crew, crew
from reporting import Report

from postgres.cluster import GIVEN, Cluster

STALL_S = 1.0
TUNED_S, DEFAULT_S = 6.0, 9.0
TAKEOVER_S_MAX = {STALL_S: 20.0, TUNED_S: 20.0, DEFAULT_S: 30.0}
"""Far beyond what is promised (7 and 15 s): a loaded machine is no defect."""
FREEZES, FREEZES_LONG = 2, 100
RESTARTS, RESTARTS_LONG = 2, 50
THREADS = 4
KILLS_MAX = 4
ROUNDS_OF_DELETIONS = 4


@pytest.fixture
def two(postgres_url: str, tmp_path: Path) -> Iterator[Crew]:
    with crew(postgres_url, tmp_path, stall_s=STALL_S, workers=2) as found:
        yield found


def names(round: int) -> list[str]:
    return [f"r{round}-{n}" for n in range(THREADS)]


# Kills


def measure_takeover(url: str, folder: Path, stall_s: float, proof: Report) -> None:
    with crew(url, folder, stall_s=stall_s, workers=2) as two:
        two.launch("gate", "held")
        pid = two.until_begun("held")
        two.worker(pid).kill()
        killed = time.monotonic()
        two.until(lambda: len(two.effects.having("begin")) == 2)
        took_s = time.monotonic() - killed
        (folder / "gate").touch()
        two.until_finished("held")

        proof.note(f"takeover after kill -9, stall {stall_s:g} s: {took_s:.1f} s")
        two.report(proof, "held", steps=1)
        assert took_s < TAKEOVER_S_MAX[stall_s]
        assert [line.attempt for line in two.effects.having("begin")] == [1, 2]
        assert two.faults("held", steps=1) == []


def test_another_worker_finishes_what_a_killed_one_had(
    postgres_url: str, tmp_path: Path, proof: Report
):
    measure_takeover(postgres_url, tmp_path, STALL_S, proof)


@pytest.mark.long
@pytest.mark.parametrize("stall_s", [TUNED_S, DEFAULT_S])
def test_workers_as_they_are_run_take_over_in_time(
    postgres_url: str, tmp_path: Path, stall_s: float, proof: Report
):
    measure_takeover(postgres_url, tmp_path, stall_s, proof)


def test_workers_keep_others_out_and_hand_on_what_is_left_when_they_stop(two: Crew):
    async def advance_here() -> bool:
        engine = two.app.new_engine("embedded")
        return await engine.run(until_idle=True, wait_for_lock=False)

    two.launch("busy", *names(0))
    assert asyncio.run(advance_here()) is False  # an embedded engine would share with nobody
    assert two.stop_all() == [0, 0]
    with psycopg.connect(two.url) as db:
        row = db.execute("select count(*) from procrastinate_jobs where status = 'doing'")
        assert row.fetchone() == (0,)

    assert asyncio.run(asyncio.wait_for(advance_here(), PATIENCE_S)) is True
    assert [two.status(name) for name in names(0)] == ["finished"] * THREADS
    assert two.faults(*names(0)) == []


def test_a_thread_that_kills_its_workers_is_parked_and_the_others_go_on(two: Crew, proof: Report):
    two.launch("gate", "long")
    two.until_begun("long")
    two.launch("kill", "poison")
    two.launch("busy", *names(0))
    two.until(lambda: two.status("poison") == "failed", keep_up=True)
    (two.folder / "gate").touch()
    two.until_finished("long", *names(0), keep_up=True)
    two.report(proof, *names(0))
    two.report(proof, "long", steps=1, runs=0)
    proof.note(f"parked for a person after {KILLS_MAX} killed workers; 5 other threads finished")

    begun = [line for line in two.effects.having("begin") if line.key == "default/poison/s1"]
    assert len(begun) == KILLS_MAX
    failed = two.app.thread("poison").events[-1]
    assert (failed.type, failed.data["by"]) == ("advance_failed", "engine")
    assert "4 workers died" in str(failed.data["error"])
    assert two.faults(*names(0)) == []
    assert two.faults("long", steps=1) == []

    two.app.sync.retry("poison", by="olga")  # a person may try again
    two.until(lambda: len(two.effects.having("begin")) > len(begun), keep_up=True)


# Frozen workers


def freeze(two: Crew, rounds: int, proof: Report) -> None:
    """Stop a worker for longer than its lease, with a tool under way, and let it go on."""
    chance = random.Random(rounds)
    for number in range(rounds):
        two.launch("busy", *names(number))
        pid = two.until_begun(chance.choice(names(number)))
        time.sleep(chance.uniform(0.0, 0.1))
        os.kill(pid, signal.SIGSTOP)
        two.until_finished(*names(number))
        time.sleep(chance.uniform(0.0, 0.3))
        os.kill(pid, signal.SIGCONT)
    every = [name for number in range(rounds) for name in names(number)]
    try:
        two.until(lambda: two.faults(*every) == [])  # what was under way has still to be recorded
    finally:
        two.report(proof, *every, runs=rounds)
    retried = sum(line.attempt > 1 for line in two.effects.having("begin"))
    proof.note(f"{rounds} times frozen past the lease: {retried} runs were taken over")


def test_a_worker_that_was_frozen_appends_nothing_twice_and_loses_nothing(two: Crew, proof: Report):
    two.launch("gate", "held")
    pid = two.until_begun("held")
    os.kill(pid, signal.SIGSTOP)
    two.until(lambda: len(two.effects.having("begin")) == 2)
    (two.folder / "gate").touch()
    two.until_finished("held")
    os.kill(pid, signal.SIGCONT)
    two.until(lambda: len(two.effects.having("end")) == 2)
    two.until(lambda: two.faults("held", steps=1) == [])  # the outcomes of both runs are kept

    freeze(two, FREEZES, proof)
    assert two.stop_all() == [0, 0]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_workers_that_are_frozen_many_times_do_no_harm(two: Crew, proof: Report):
    freeze(two, FREEZES_LONG, proof)
    assert two.stop_all() == [0, 0]


# The server


def restart(postgres: Cluster, two: Crew, rounds: int, proof: Report) -> None:
    """Crash the server while the workers work; they come back by themselves."""
    chance = random.Random(rounds)
    workers = [worker.pid for worker in two.workers]
    for number in range(rounds):
        two.launch("busy", *names(number))
        two.until_begun(names(number)[0])
        time.sleep(chance.uniform(0.0, 0.1))
        postgres.crash(signal.SIGQUIT)
    every = [name for number in range(rounds) for name in names(number)]
    took_s = two.until_finished(*every)
    try:
        two.until(lambda: two.faults(*every) == [])
    finally:
        two.report(proof, *every, runs=rounds)
    proof.note(f"{rounds} restarts of the server; {took_s:.1f} s to the end of all")
    assert [worker.pid for worker in two.workers if worker.poll() is None] == workers
    assert two.stop_all() == [0, 0]


@pytest.mark.skipif(GIVEN in os.environ, reason="a server that was given is not killed")
def test_workers_come_back_by_themselves_when_the_server_does(
    postgres: Cluster, two: Crew, proof: Report
):
    restart(postgres, two, RESTARTS, proof)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(GIVEN in os.environ, reason="a server that was given is not killed")
def test_a_server_that_crashes_again_and_again_costs_nothing(
    postgres: Cluster, two: Crew, proof: Report
):
    with postgres.durable():
        restart(postgres, two, RESTARTS_LONG, proof)


# The queue


def test_jobs_and_wakes_that_are_gone_are_made_again(
    postgres_url: str, tmp_path: Path, proof: Report
):
    with crew(postgres_url, tmp_path, stall_s=STALL_S, workers=0) as one:
        one.launch("busy", *names(0))
        with psycopg.connect(one.url, autocommit=True) as db:
            db.execute("delete from procrastinate_jobs")
            db.execute("delete from twelvefold_wakes where thread_id <> 'r0-0'")
        one.start()
        one.until_finished(*names(0))

        one.launch("gate", "held")
        one.worker(one.until_begun("held")).kill()
        with psycopg.connect(one.url, autocommit=True) as db:  # as in a backup of the log alone
            db.execute("truncate procrastinate_jobs, procrastinate_workers cascade")
        (one.folder / "gate").touch()
        one.start()
        one.until_finished("held")

        one.report(proof, *names(0))
        one.report(proof, "held", steps=1)
        assert one.faults(*names(0)) == []
        assert one.faults("held", steps=1) == []


@pytest.mark.long  # the logs are looked through every 15 s
def test_timers_that_are_gone_are_set_again(two: Crew, proof: Report):
    """Of sleeps, deadlines, escalations, reminders and sends, each deleted as soon as it is set."""
    two.launch("nap", *(f"nap-{n}" for n in range(THREADS)))
    two.launch("ask", *(f"ask-{n}" for n in range(THREADS)))
    every = [f"{how}-{n}" for how in ("nap", "ask") for n in range(THREADS)]
    deleted = 0
    for _ in range(ROUNDS_OF_DELETIONS):
        with psycopg.connect(two.url, autocommit=True) as db:
            db.execute("delete from procrastinate_jobs where status = 'todo'")
            deleted += db.execute("delete from twelvefold_timers").rowcount
        time.sleep(1.0)
    two.until_finished(*every)

    mails = {line.key for line in two.effects.having("mail")}
    asked = [f"default/ask-{n}/" for n in range(THREADS)]
    lost = sum(sum(key.startswith(place) for key in mails) < 2 for place in asked)
    proof.add(runs=len(every), lost=lost, duplicated=two.duplicates())
    proof.note(f"{deleted} timers deleted by hand: {len(every)} threads ended, {len(mails)} mails")
    assert lost == 0
    assert deleted >= len(every)
