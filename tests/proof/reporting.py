"""What proofs found, in figures: tests add up what they measured, and `prove.py` reads the sum.

Nothing here is a constant: a proof counts in its ledger outside of the store and in the log, and
says so before it asserts, so that a broken promise is in the table as well.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from twelvefold.testing import Matrix

COUNTS = "TWELVEFOLD_PROOF_COUNTS"
"""The variable that names the file for the sum; without it nothing is written."""


@dataclass(slots=True)
class Report:
    """The sum over one run of the tests. `mutants`: how many there were to catch; `notes`: lines
    for the reader of the table."""

    runs: int = 0
    lost: int = 0
    duplicated: int = 0
    mutants: int = 0
    caught: int = 0
    notes: list[str] = field(default_factory=list[str])

    def add(self, *, runs: int = 1, lost: int = 0, duplicated: int = 0) -> None:
        self.runs += runs
        self.lost += lost
        self.duplicated += duplicated

    def mutant(self, *, caught: bool) -> None:
        self.mutants += 1
        self.caught += caught

    def note(self, line: str) -> None:
        self.notes.append(line)
        sys.stdout.write(f"{line}\n")

    def matrix(self, matrix: Matrix, name: str) -> None:
        """A crash matrix: effects that are missing or too many, and logs that differ."""
        plain = matrix.undisturbed.effects
        lost = duplicated = 0
        for fault in matrix.faults:
            gone, twice = compared(plain, plain if fault.effects is None else fault.effects)
            duplicated += twice
            lost += gone or (not twice)  # any other fault: something of the log is not there
        self.add(runs=matrix.runs, lost=lost, duplicated=duplicated)
        points, kills = len(matrix.undisturbed.boundaries), sum(matrix.killed_at.values())
        self.note(f"{name}: {points} crash points, {matrix.runs} runs, {kills} kills")


def compared(should: Mapping[str, int], found: Mapping[str, int]) -> tuple[int, int]:
    """How many effects are missing, and how many are too many."""
    wanted, had = Counter(dict(should)), Counter(dict(found))
    return (wanted - had).total(), (had - wanted).total()


def twice(keys: Iterable[object]) -> int:
    """How many of these were there before."""
    return sum(count - 1 for count in Counter(keys).values())


@pytest.fixture(scope="session")
def proof() -> Iterator[Report]:
    """Where the proofs of this run report."""
    report = Report()
    yield report
    if path := os.environ.get(COUNTS):
        Path(path).write_text(json.dumps(asdict(report)))
