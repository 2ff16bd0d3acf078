"""Every guard of the engine of workers earns its place: without it, a named test fails."""

from pathlib import Path

import pytest
from patching import check_need, check_place, mutants
from reporting import Report

MUTANTS = mutants(Path(__file__).with_name("engine.toml"))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["name"])
def test_each_guard_of_the_engine_is_where_it_is_said_to_be(mutant: dict[str, str]):
    check_place(mutant)


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["name"])
def test_without_a_guard_of_the_engine_its_test_fails(
    mutant: dict[str, str], tmp_path: Path, proof: Report
):
    proof.mutant(caught=False)
    check_need(mutant, tmp_path)
    proof.caught += 1
