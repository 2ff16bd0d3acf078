"""The same proofs on Postgres: kills at every boundary, and several processes at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from places import on_postgres
from reporting import Report
from test_ledger import INSIDE, expect_agreement
from test_races import expect_nothing_twice, expect_one_winner

from postgres.cluster import Cluster
from twelvefold.testing import Matrix, crash_matrix
from twelvefold.testing import race as race_of

HERE = Path(__file__).parent
PATH = [HERE, HERE.parent, HERE.parent / "examples"]
SEEDS = 1
SEEDS_EACH = 10
SEEDS_EACH_WORKER = 50
EACH = ["first_agent", "payments"]
"""Of which every crash point gets its seeds: 49 of them."""
WORKERS = 8
"""Side by side: they mostly wait until a dead one has been silent for long enough."""
ROUNDS = 15
ROUNDS_WITHOUT_LOCK = 4
SEEDS_LONG = 10
SCENARIOS_LONG = ["pipeline", "rollback", "calculator", "timing", "outer_loop", "slow", "sending"]


@pytest.fixture(autouse=True)
def _durable(postgres: Cluster) -> Iterator[None]:
    """Every log on the server, which waits for the disk."""
    with postgres.durable(), on_postgres(postgres.url):
        yield


def matrix_of(scenario: str, proof: Report, **options: int) -> Matrix:
    matrix = crash_matrix(scenario, path=PATH, **options)
    module, _, name = scenario.partition(":")
    what = "a worker on Postgres" if module == "worker_scenarios" else "Postgres"
    proof.matrix(matrix, f"{name}, {what}")
    assert matrix.faults == []
    assert set(matrix.undisturbed.effects.values()) <= {1}
    return matrix


def test_a_kill_at_any_boundary_changes_neither_log_nor_effects(proof: Report) -> None:
    matrix = matrix_of("scenarios:first_agent", proof, seeds=SEEDS)

    for boundary in matrix.undisturbed.boundaries:
        assert matrix.killed_at[boundary] > 0


def test_a_worker_that_is_killed_at_any_boundary_changes_neither_log_nor_effects(
    proof: Report,
) -> None:
    matrix_of("worker_scenarios:first_agent", proof, seeds=SEEDS, processes=WORKERS)


def test_a_kill_anywhere_in_a_transaction_leaves_log_and_table_in_agreement(
    proof: Report,
) -> None:
    matrix = matrix_of("ledger_scenarios:transfers", proof, seeds=SEEDS)

    expect_agreement(matrix)
    assert set(matrix.undisturbed.boundaries) >= INSIDE  # where each run is killed is its own order


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", EACH)
def test_many_kills_at_each_boundary_and_in_recovery_change_nothing(
    name: str, proof: Report
) -> None:
    matrix_of(f"scenarios:{name}", proof, seeds_each=SEEDS_EACH)


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", EACH)
def test_fifty_kills_of_a_worker_at_each_boundary_and_in_recovery_change_nothing(
    name: str, proof: Report
) -> None:
    each = SEEDS_EACH_WORKER
    matrix_of(f"worker_scenarios:{name}", proof, seeds_each=each, processes=WORKERS)


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS_LONG)
def test_many_kills_in_a_row_change_neither_log_nor_effects(name: str, proof: Report) -> None:
    matrix_of(f"scenarios:{name}", proof, seeds=SEEDS_LONG)


def test_of_four_answers_in_one_instant_one_wins_and_the_others_are_told(
    tmp_path: Path, proof: Report
) -> None:
    expect_one_winner(tmp_path, ROUNDS, proof)


def test_advances_without_a_lock_start_and_run_nothing_twice(tmp_path: Path, proof: Report) -> None:
    expect_nothing_twice(tmp_path, ROUNDS_WITHOUT_LOCK, proof)


@pytest.mark.long
def test_the_race_for_users_finds_nothing_either(proof: Report) -> None:
    race = race_of("scenarios:first_agent", path=PATH)
    proof.add(runs=race.rounds, duplicated=len(race.faults))

    assert race.faults == []
