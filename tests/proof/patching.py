"""A copy of the package with textual patches: product code has no switch for its guards.

A mutant is a guard in words: `name`, the `file` in the package, the `old` text that is the guard,
the `new` text without it, and the `test` that then fails (a file, or `file::name`).
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import twelvefold

SOURCE = Path(twelvefold.__path__[0])
TESTS = Path(__file__).parents[1]
TEST_S_MAX = 240
FAILED_EXIT = 1


def mutants(file: Path) -> list[dict[str, str]]:
    """The guards that a file of TOML names."""
    return tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]


def check_place(mutant: dict[str, str]) -> None:
    """The guard stands in its file once, and the test that needs it is there."""
    text = (SOURCE / mutant["file"]).read_text(encoding="utf-8")
    file, _, name = mutant["test"].partition("::")

    assert text.count(mutant["old"]) == 1, f"{mutant['file']} no longer holds: {mutant['old']}"
    tests = (TESTS.parent / file).read_text(encoding="utf-8")
    assert not name or f"def {name}(" in tests, f"{file} holds no {name}"


def check_need(mutant: dict[str, str], folder: Path) -> None:
    """The named test fails on a copy of the package that has all but this guard."""
    paths = [mutated([mutant], folder / "source"), TESTS]
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'work'}"]

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, mutant["test"]],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=TEST_S_MAX,
    )

    said = ran.stdout[-2000:] + ran.stderr[-2000:]
    assert ran.returncode == FAILED_EXIT, said
    assert "1 failed" in ran.stdout, said


def mutated(patches: list[dict[str, str]], folder: Path) -> Path:
    """A copy of the package with the patches applied."""
    copy = folder / "twelvefold"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for patch in patches:
        path = copy / patch["file"]
        text = path.read_text()
        assert text.count(patch["old"]) == 1, f"{patch['file']} no longer holds: {patch['old']}"
        path.write_text(text.replace(patch["old"], patch["new"]))
    return folder
