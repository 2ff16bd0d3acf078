"""SIGKILL at every boundary, in recovery too: nothing lost, nothing done twice, the same log."""

from pathlib import Path

import pytest
from reporting import Report

from twelvefold.testing import Matrix, crash_matrix

HERE = Path(__file__).parent
SEEDS = 5
SEEDS_LONG = 40
SEEDS_EACH = {"first_agent": 50, "payments": 50, "sending": 10}
"""Seeds of every crash point: 49 of model calls, answers, tools and a `reconcile`, 36 of mails."""
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


def _matrix(name: str, *, seeds: int, seeds_each: int = 0) -> Matrix:
    path = [HERE, HERE.parent / "examples"]
    return crash_matrix(f"scenarios:{name}", path=path, seeds=seeds, seeds_each=seeds_each)


def _expect_no_fault(name: str, proof: Report, *, seeds: int = 0, seeds_each: int = 0) -> None:
    matrix = _matrix(name, seeds=seeds, seeds_each=seeds_each)
    proof.matrix(matrix, name)

    assert matrix.faults == []
    assert matrix.runs >= len(matrix.undisturbed.boundaries) * (1 + seeds_each) + seeds
    assert set(matrix.undisturbed.effects.values()) <= {1}
    for boundary in matrix.undisturbed.boundaries:
        assert matrix.killed_at[boundary] > 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_boundary_changes_neither_log_nor_effects(name: str, proof: Report) -> None:
    _expect_no_fault(name, proof, seeds=SEEDS)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SEEDS_EACH)
def test_many_kills_at_each_boundary_and_in_recovery_change_nothing(
    name: str, proof: Report
) -> None:
    _expect_no_fault(name, proof, seeds_each=SEEDS_EACH[name])


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
def test_many_kills_in_a_row_change_neither_log_nor_effects(name: str, proof: Report) -> None:
    _expect_no_fault(name, proof, seeds=SEEDS_LONG)


def test_the_matrix_finds_a_tool_that_lies_about_its_key(proof: Report) -> None:
    matrix = _matrix("payments_that_lie", seeds=0)
    proof.mutant(caught=bool(matrix.faults))

    assert matrix.faults
    assert all("effects" in fault.what for fault in matrix.faults)
    assert all(dict(fault.effects or {}) != {} for fault in matrix.faults)
    assert {where for fault in matrix.faults for where in fault.where} >= {"after effect of pay"}
