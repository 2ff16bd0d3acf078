"""SIGKILL at every boundary, in recovery too: nothing lost, nothing done twice, the same log."""

import sys
from pathlib import Path

import pytest

from twelvefold.testing import Matrix, crash_matrix

HERE = Path(__file__).parent
SEEDS = 40
SEEDS_LONG = 400
SCENARIOS = [
    "pipeline",
    "rollback",
    "payments",
    "calculator",
    "timing",
    "outer_loop",
    "slow",
    "sending",
    "people",
    "first_agent",
]


def _matrix(name: str, *, seeds: int) -> Matrix:
    path = [HERE, HERE.parent / "examples"]
    matrix = crash_matrix(f"scenarios:{name}", path=path, seeds=seeds)
    kills = sum(matrix.killed_at.values())
    sys.stdout.write(f"{name}: {matrix.runs} runs, {kills} kills\n")
    return matrix


def _expect_no_fault(name: str, *, seeds: int) -> None:
    matrix = _matrix(name, seeds=seeds)

    assert matrix.faults == []
    assert matrix.runs == len(matrix.undisturbed.boundaries) + seeds
    assert set(matrix.undisturbed.effects.values()) <= {1}
    for boundary in matrix.undisturbed.boundaries:
        assert matrix.killed_at[boundary] > 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_boundary_changes_neither_log_nor_effects(name: str) -> None:
    _expect_no_fault(name, seeds=SEEDS)


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
def test_many_kills_in_a_row_change_neither_log_nor_effects(name: str) -> None:
    _expect_no_fault(name, seeds=SEEDS_LONG)


def test_the_matrix_finds_a_tool_that_lies_about_its_key() -> None:
    matrix = _matrix("payments_that_lie", seeds=0)

    assert matrix.faults
    assert all("effects" in fault.what for fault in matrix.faults)
    assert {where for fault in matrix.faults for where in fault.where} >= {"after effect of pay"}
