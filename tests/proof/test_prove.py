"""The table of `make prove`: it holds every proof, and it fails where one does not hold."""

import json
import tomllib
from pathlib import Path

import prove
import pytest
from reporting import Report, compared, twice

from twelvefold.testing import Fault, Matrix
from twelvefold.testing.crash import Run

HERE = Path(__file__).parent
PROOFS = tomllib.loads((HERE / "proofs.toml").read_text())["proof"]
PAGE = HERE.parent.parent / "docs" / "proof.md"


def test_every_test_of_this_folder_is_in_a_row() -> None:
    rows = [HERE.parent.parent / test for proof in PROOFS for test in proof["tests"]]
    missing = [
        path.name
        for path in HERE.rglob("test_*.py")
        if path.name != Path(__file__).name and not any(path.is_relative_to(row) for row in rows)
    ]

    assert missing == []


def test_every_row_is_on_the_page() -> None:
    page = PAGE.read_text()

    assert [proof["name"] for proof in PROOFS if proof["name"] not in page] == []


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        (prove.Row("x", runs=1), 0, ""),
        (prove.Row("x", runs=1, lost=1), 0, "BROKEN"),
        (prove.Row("x", runs=1, duplicated=1), 0, "BROKEN"),
        (prove.Row("x", runs=1, mutants=2, caught=1), 0, "A MUTANT GOT AWAY"),
        (prove.Row("x", runs=1), 1, "FAILED"),
        (prove.Row("x"), 0, "NOTHING RAN"),
    ],
)
def test_a_row_says_why_it_proves_nothing(row: prove.Row, code: int, said: str) -> None:
    assert prove.wrong(row, code) == said


def test_the_json_of_a_row_has_the_figures_alone() -> None:
    row = prove.Row("x", runs=3, mutants=1, caught=1, seconds=1.5, notes=["a note"])

    assert json.loads(json.dumps(row.as_json())) == {
        "name": "x", "runs": 3, "lost": 0, "duplicated": 0, "caught": 1, "seconds": 1.5,
    }  # fmt: skip


def test_effects_and_logs_of_a_matrix_are_counted() -> None:
    report, plain = Report(), Run({}, {"a": 1, "b": 1}, ["before"], [])
    faults = [
        Fault([1], ["before"], "effects", {"a": 2, "b": 1}),
        Fault([1], ["before"], "effects", {"a": 1}),
        Fault([1], ["before"], "log of t", {"a": 1, "b": 1}),
    ]

    report.matrix(Matrix(plain, runs=4, faults=faults), "x")

    assert (report.runs, report.lost, report.duplicated) == (4, 2, 1)
    assert compared({"a": 1}, {"b": 2}) == (1, 2)
    assert twice("abca") == 1
