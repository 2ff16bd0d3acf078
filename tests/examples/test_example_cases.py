"""The cases of the examples pass, each prompt has some, and pytest collects them."""

import asyncio
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from loading import EXAMPLES, example

from twelvefold.cases import SUFFIX, Case, read_cases
from twelvefold.evals import check

PROMPTS = sorted(path for path in EXAMPLES.glob("*/*.md") if path.name != "README.md")
FILES = sorted(EXAMPLES.glob(f"*/*{SUFFIX}"))
CASES = [(file.parent.name, case) for file in FILES for case in read_cases(file, name=file.name)]

loaded = cache(example)


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}::{c.name}" for n, c in CASES])
def test_a_case_of_an_example_passes(name: str, case: Case):
    module: ModuleType = loaded(name)
    checked = asyncio.run(check(case, module.app.agents, module.app.models))

    assert checked.verdict.complaints == ()


def test_each_prompt_has_cases_beside_it():
    assert len(PROMPTS) >= 4
    assert [path.stem for path in PROMPTS if not path.with_suffix(SUFFIX).exists()] == []


@pytest.mark.parametrize("name", ["calculator", "release_pipeline"])
def test_pytest_collects_them_in_a_project_that_asks(name: str, tmp_path: Path):
    project = shutil.copytree(EXAMPLES / name, tmp_path / name)
    (project / "pytest.ini").write_text("[pytest]\ntwelvefold_app = app.py\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
    )

    count = len([case for folder, case in CASES if folder == name])
    assert f"{count} passed" in ran.stdout, ran.stdout + ran.stderr
