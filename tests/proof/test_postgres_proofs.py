"""The same proofs on Postgres: kills at every boundary, and several processes at once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import on_postgres
from test_ledger import INSIDE, expect_agreement
from test_races import expect_nothing_twice, expect_one_winner

from postgres.cluster import Cluster
from twelvefold.testing import Matrix, crash_matrix
from twelvefold.testing import race as race_of

HERE = Path(__file__).parent
PATH = [HERE, HERE.parent, HERE.parent / "examples"]
SEEDS = 1
ROUNDS = 15
ROUNDS_WITHOUT_LOCK = 4
SEEDS_LONG = 200
SCENARIOS_LONG = ["rollback", "payments", "calculator", "timing", "outer_loop", "slow"]


@pytest.fixture(autouse=True)
def _durable(postgres: Cluster) -> Iterator[None]:
    """Every log on the server, which waits for the disk."""
    with postgres.durable(), on_postgres(postgres.url):
        yield


def matrix_of(scenario: str, *, seeds: int) -> Matrix:
    matrix = crash_matrix(scenario, path=PATH, seeds=seeds)
    kills = sum(matrix.killed_at.values())
    sys.stdout.write(f"{scenario} on Postgres: {matrix.runs} runs, {kills} kills\n")
    assert matrix.faults == []
    assert set(matrix.undisturbed.effects.values()) <= {1}
    return matrix


def test_a_kill_at_any_boundary_changes_neither_log_nor_effects() -> None:
    matrix = matrix_of("scenarios:first_agent", seeds=SEEDS)

    for boundary in matrix.undisturbed.boundaries:
        assert matrix.killed_at[boundary] > 0


def test_a_kill_anywhere_in_a_transaction_leaves_log_and_table_in_agreement() -> None:
    matrix = matrix_of("ledger_scenarios:transfers", seeds=SEEDS)

    expect_agreement(matrix)
    assert set(matrix.undisturbed.boundaries) >= INSIDE  # where each run is killed is its own order


@pytest.mark.long
@pytest.mark.parametrize("name", ["pipeline", "first_agent", *SCENARIOS_LONG])
def test_many_kills_in_a_row_change_neither_log_nor_effects(name: str) -> None:
    matrix_of(f"scenarios:{name}", seeds=SEEDS_LONG)


def test_of_four_answers_in_one_instant_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    expect_one_winner(tmp_path, ROUNDS)


def test_advances_without_a_lock_start_and_run_nothing_twice(tmp_path: Path) -> None:
    expect_nothing_twice(tmp_path, ROUNDS_WITHOUT_LOCK)


@pytest.mark.long
def test_the_race_for_users_finds_nothing_either() -> None:
    assert race_of("scenarios:first_agent", path=PATH).faults == []
