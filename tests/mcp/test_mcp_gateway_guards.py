"""Every guard of the gateway earns its place: without it, a named test fails."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from proof.patching import SOURCE, mutated

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MUTANTS = tomllib.loads((HERE / "gateway_guards.toml").read_text(encoding="utf-8"))["mutant"]
TEST_S_MAX = 240
FAILED_EXIT = 1


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["name"])
def test_each_guard_of_the_gateway_is_where_it_is_said_to_be(mutant: dict[str, str]):
    text = (SOURCE / mutant["file"]).read_text(encoding="utf-8")
    file, _, name = mutant["test"].partition("::")

    assert text.count(mutant["old"]) == 1
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["name"])
def test_without_a_guard_of_the_gateway_its_test_fails(mutant: dict[str, str], tmp_path: Path):
    paths = [mutated([mutant], tmp_path / "source"), ROOT / "tests"]
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'work'}"]

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, mutant["test"]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=TEST_S_MAX,
    )

    assert ran.returncode == FAILED_EXIT, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert "1 failed" in ran.stdout
