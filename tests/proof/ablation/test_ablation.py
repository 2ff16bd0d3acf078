"""Every guard earns its place: with it a promise holds, without it the same promise breaks."""

import inspect
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import promises
import pytest
from patching import mutated
from reporting import Report

HERE = Path(__file__).parent
MUTANTS = tomllib.loads((HERE / "mutants.toml").read_text())["mutant"]
PROMISE_S_MAX = 60


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["name"])
def test_without_the_guard_its_promise_breaks(
    mutant: dict[str, Any], tmp_path: Path, proof: Report
):
    source, work = tmp_path / "source", tmp_path / "work"
    work.mkdir()
    paths = [mutated(mutant["patch"], source), HERE.parent.parent]
    command = [sys.executable, str(HERE / "promises.py"), mutant["promise"], str(work)]

    run = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=PROMISE_S_MAX,
    )

    proof.mutant(caught=run.returncode == promises.BROKEN_EXIT)
    assert run.returncode == promises.BROKEN_EXIT, run.stderr
    assert "the ledger holds" in run.stderr


@pytest.mark.parametrize("promise", sorted({mutant["promise"] for mutant in MUTANTS}))
def test_with_every_guard_in_place_the_promise_holds(promise: str, tmp_path: Path, proof: Report):
    proof.add()
    assert promises.main(promise, str(tmp_path)) == 0


def test_a_mutant_that_no_longer_fits_the_source_is_noticed(tmp_path: Path):
    patch = {"file": "state/chosen.py", "old": "words that are nowhere", "new": ""}

    with pytest.raises(AssertionError, match="no longer holds"):
        mutated([patch], tmp_path)


def test_every_promise_has_a_mutant():
    named = {name for name, value in vars(promises).items() if inspect.iscoroutinefunction(value)}
    shared = {"advance", "ended", "settle"}

    assert {mutant["promise"] for mutant in MUTANTS} == named - shared
