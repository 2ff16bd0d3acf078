"""What pyright proves of a user's file: each mistake is found, with its rule, in its line."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

WRONG = Path(__file__).parent / "typing" / "wrong"


def expected() -> set[tuple[int, str]]:
    lines = (WRONG / "wrong.py").read_text(encoding="utf-8").splitlines()
    return {
        (number + 1, rule)
        for number, line in enumerate(lines, start=1)
        if line.lstrip().startswith("# report")
        for rule in line.split()[1:]
    }


@pytest.fixture(scope="module")
def found() -> set[tuple[int, str]]:
    command = [sys.executable, "-m", "pyright", "-p", str(WRONG), "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 1
    return {
        (each["range"]["start"]["line"] + 1, each["rule"]) for each in report["generalDiagnostics"]
    }


def test_every_deliberate_error_is_found_and_no_other(found: set[tuple[int, str]]):
    assert found == expected()


@pytest.mark.parametrize(
    "mistake",
    [
        "missing_case",
        "wrong_tool",
        "wrong_tool_in_all",
        "wrong_deps",
        "wrong_reconcile",
        "transaction_without_a_call",
        "offered_outside_the_union",
        "chosen_outside_the_union",
        "wrong_union",
        "wrong_agent_deps",
        "missing_deps",
        "no_owner",
    ],
)
def test_each_kind_of_mistake_has_its_error(mistake: str, found: set[tuple[int, str]]):
    text = (WRONG / "wrong.py").read_text(encoding="utf-8")
    block = re.search(rf"^(def )?{mistake}\b.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    first = text.count("\n", 0, block.start()) + 1
    last = first + block[0].rstrip("\n").count("\n")

    assert {line for line, _ in found} & set(range(first, last + 1))
