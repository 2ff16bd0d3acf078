"""Runs every proof of docs/proof.md, prints the table and writes build/proof.json; `make prove`.

Each row of proofs.toml is a run of pytest with a server of its own, `AT_ONCE` of them side by side.
It fails where a test fails, something was lost or done twice, a mutant got away, or nothing ran.
Arguments choose rows by a part of their name; `--at-once 1` runs one after the other.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reporting import COUNTS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOLDER = ROOT / "build" / "proof"
AT_ONCE = 3
ROW_S_MAX = 3600
TEST_S_MAX = 3000
"""Where a test says nothing else: rows take turns with each other for the cores."""
HEADS = ("proof", "runs", "lost", "duplicated", "caught", "seconds", "")
SAID_LINES_MAX = 40


@dataclass(slots=True)
class Row:
    """One line of the table. `wrong` says why it proves nothing; empty when it holds."""

    name: str
    runs: int = 0
    lost: int = 0
    duplicated: int = 0
    caught: int = 0
    mutants: int = 0
    seconds: float = 0.0
    wrong: str = ""
    notes: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, Any]:
        names = ("name", "runs", "lost", "duplicated", "caught", "seconds")
        return {name: getattr(self, name) for name in names}

    def cells(self) -> tuple[str, ...]:
        caught = f"{self.caught} of {self.mutants}" if self.mutants else "-"
        figures = map(str, (self.runs, self.lost, self.duplicated))
        return (self.name, *figures, caught, f"{self.seconds:.0f}", self.wrong or "holds")


def main(names: Sequence[str], *, at_once: int = AT_ONCE) -> int:
    proofs = tomllib.loads((HERE / "proofs.toml").read_text())["proof"]
    chosen = [one for one in proofs if not names or any(name in one["name"] for name in names)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(at_once) as pool:
        rows = list(pool.map(run, chosen))
    for row in rows:
        say("", row.name, *(f"  {note}" for note in row.notes))
    say("", *table(rows))
    written = {"rows": [row.as_json() for row in rows]}
    (ROOT / "build" / "proof.json").write_text(json.dumps(written, indent=2) + "\n")
    return 1 if not rows or any(row.wrong for row in rows) else 0


def run(proof: dict[str, Any]) -> Row:
    """One row. What pytest says is in build/proof; its end is printed when it fails."""
    place = FOLDER / proof["name"].replace(" ", "-").replace(",", "")
    counts, said, junit = (place.with_suffix(end) for end in (".json", ".txt", ".xml"))
    for path in (counts, junit):
        path.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "long or not long",
        f"--junitxml={junit}",
    ]
    command.append(f"--timeout={TEST_S_MAX}")
    command += ["-k", proof["keyword"]] if "keyword" in proof else []
    say(f"begins: {proof['name']}")
    began = time.monotonic()
    with said.open("w") as out:
        code = _exit_code([*command, *proof["tests"]], os.environ | {COUNTS: str(counts)}, out)
    row = _row(proof["name"], code, counts, junit)
    row.seconds = round(time.monotonic() - began, 1)
    say(" | ".join(cell for cell in row.cells() if cell))
    if code:
        say(*said.read_text().splitlines()[-SAID_LINES_MAX:])
    return row


def _exit_code(command: list[str], environ: dict[str, str], out: Any) -> int:
    try:
        return subprocess.run(
            command, cwd=ROOT, env=environ, stdout=out, stderr=out, timeout=ROW_S_MAX, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


def _row(name: str, code: int, counts: Path, junit: Path) -> Row:
    row = Row(name, **(json.loads(counts.read_text()) if counts.exists() else {}))
    passed, skipped = _passed(junit) if junit.exists() else (0, 0)
    row.runs = row.runs or passed
    row.notes += [f"{skipped} tests were skipped"] if skipped else []
    row.wrong = wrong(row, code)
    return row


def _passed(junit: Path) -> tuple[int, int]:
    """How many tests passed, and how many were skipped."""
    (suite,) = ET.parse(junit).getroot().iter("testsuite")
    count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    skipped = count.pop("skipped")
    return count["tests"] - skipped - count["failures"] - count["errors"], skipped


def wrong(row: Row, code: int) -> str:
    if row.lost or row.duplicated:
        return "BROKEN"
    if row.caught < row.mutants:
        return "A MUTANT GOT AWAY"
    if code:
        return "FAILED"
    return "" if row.runs else "NOTHING RAN"


def table(rows: Sequence[Row]) -> list[str]:
    lines = [HEADS, *(row.cells() for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEADS))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of rows; all without")
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    given = parser.parse_args()
    sys.exit(main(given.names, at_once=given.at_once))
