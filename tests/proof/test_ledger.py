"""SIGKILL at every boundary of a transaction: the log and the application's table agree, once."""

from pathlib import Path

import pytest
from reporting import Report

from twelvefold.testing import Matrix, crash_matrix

HERE = Path(__file__).parent
SEEDS = 15
SEEDS_LONG = 200
INSIDE = {
    "after the order is written",
    "after the launch in its transaction",
    "after the order committed",
    "before the debit",
    "between debit and credit",
    "after the credit",
    "before a transaction commits",
    "after a transaction committed",
}


def _matrix(proof: Report, *, seeds: int) -> Matrix:
    matrix = crash_matrix("ledger_scenarios:transfers", path=[HERE], seeds=seeds)
    proof.matrix(matrix, "transfers")
    return matrix


def expect_agreement(matrix: Matrix) -> None:
    assert matrix.faults == []
    log = str(matrix.undisturbed.logs["m1"])
    assert log.count("'tool_returned'") == 2
    assert log.count("'tool_failed'") == 1
    assert dict(matrix.undisturbed.effects) == {
        "default/m1/s1": 1,
        "default/m1/s2": 1,
        "anna has 90": 1,
        "ben has 105": 1,
        "carla has 105": 1,
    }


def test_a_kill_anywhere_in_a_transaction_leaves_log_and_table_in_agreement(
    proof: Report,
) -> None:
    matrix = _matrix(proof, seeds=SEEDS)

    expect_agreement(matrix)
    assert set(matrix.killed_at) >= INSIDE


@pytest.mark.long
def test_many_kills_in_a_row_leave_log_and_table_in_agreement(proof: Report) -> None:
    expect_agreement(_matrix(proof, seeds=SEEDS_LONG))
