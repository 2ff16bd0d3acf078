"""Connections to the server break at any byte: what was acknowledged is stored, once, and workers
go on by themselves."""

import os
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from crewing import crew
from cutting import cutting
from reporting import Report, twice
from test_postgres_crashes import Writer

from contracts.store import launch
from postgres.cluster import GIVEN
from twelvefold.stores.postgres import PostgresStore

WRITERS = 3
MEAN_BYTES = 20_000
CUTS, CUTS_LONG = 30, 600
STALL_S = 1.0
ROUNDS, ROUNDS_LONG = 3, 40
THREADS = 4
BETWEEN_S = 0.3
PAUSE_S = 0.01

pytestmark = pytest.mark.skipif(GIVEN in os.environ, reason="the way to a given server is its own")


def cut_under_load(url: str, cuts: int, proof: Report) -> None:
    over = threading.Event()
    with cutting(url, cuts) as (proxy, broken_url), closing(PostgresStore(url)) as direct:
        with closing(PostgresStore(broken_url)) as store:
            writers = [Writer(store, f"t{n}", over) for n in range(WRITERS)]
            for writer in writers:
                launch(direct, writer.id)
            proxy.mean_bytes = MEAN_BYTES
            proxy.cut_all()
            for writer in writers:
                writer.start()
            while proxy.cuts < cuts and any(writer.is_alive() for writer in writers):
                time.sleep(PAUSE_S)
            proxy.mean_bytes = 0
            over.set()
            for writer in writers:
                writer.join()
        for writer in writers:
            keys = [event.key for event in direct.load(writer.id).events]
            lost = set(writer.acknowledged) - set(keys)
            proof.add(runs=0, lost=len(lost), duplicated=twice(keys))
            assert keys == ["delivery:1", *writer.acknowledged]
        proof.add(runs=cuts)
        told = sum(len(writer.acknowledged) for writer in writers)
        unanswered = sum(writer.unanswered for writer in writers)
        proof.note(f"{proxy.cuts} cuts: {told} facts acknowledged, {unanswered} unanswered commits")
        assert [writer.error for writer in writers] == [None] * WRITERS
        assert unanswered > 0
        assert direct.rebuild().differed == ()


def cut_off_workers(url: str, folder: Path, rounds: int, proof: Report) -> None:
    every = [f"r{number}-{n}" for number in range(rounds) for n in range(THREADS)]
    with (
        cutting(url, rounds) as (proxy, broken_url),
        crew(url, folder, stall_s=STALL_S, workers=2, reached_by=broken_url) as two,
    ):
        for number in range(rounds):
            names = every[number * THREADS : (number + 1) * THREADS]
            two.launch("busy", *names)
            two.until_begun(names[0])
            time.sleep(proxy.chance.uniform(0.0, BETWEEN_S))
            proxy.cut_all()
        two.until_finished(*every)
        try:
            two.until(lambda: two.faults(*every) == [])
        finally:
            two.report(proof, *every, runs=rounds)
        proof.note(f"workers cut off {rounds} times ({proxy.cuts} connections)")
        assert all(worker.poll() is None for worker in two.workers)


def test_what_was_acknowledged_before_a_cut_is_stored_once(
    postgres_url: str, proof: Report
) -> None:
    cut_under_load(postgres_url, CUTS, proof)


def test_workers_that_are_cut_off_go_on_by_themselves(
    postgres_url: str, tmp_path: Path, proof: Report
) -> None:
    cut_off_workers(postgres_url, tmp_path, ROUNDS, proof)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_cuts_cost_nothing(postgres_url: str, proof: Report) -> None:
    cut_under_load(postgres_url, CUTS_LONG, proof)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_workers_that_are_cut_off_many_times_lose_nothing(
    postgres_url: str, tmp_path: Path, proof: Report
) -> None:
    cut_off_workers(postgres_url, tmp_path, ROUNDS_LONG, proof)
