"""`make bench`: every case by hand and by twelvefold, in turns, each in a fresh process.

Prints a table and writes `build/bench.json`. Nothing fails on a timing: goals stand beside figures.
"""

import argparse
import json
import os
import platform
import sqlite3
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from benchmarks.figures import CASES, rows, table
from benchmarks.processes import Figures, count_fsyncs, run_case

SCHEMA = "twelvefold.bench/1"
SIDES = ("floor", "ours")
ROUNDS = 5
COUNTED = "sequential"
"""The case whose fsyncs are counted, once and untimed: strace slows what it watches."""


def main() -> None:
    options = _options()
    out = Path(options.out)
    disk = out.parent / "bench"
    disk.mkdir(parents=True, exist_ok=True)
    sides: dict[str, list[dict[str, Figures]]] = {side: [] for side in SIDES}
    for number in range(1, options.rounds + 1):
        print(f"round {number} of {options.rounds}", file=sys.stderr)
        _add_round(sides, disk)
    how = _add_counts(sides, disk)
    report = {"schema": SCHEMA, **_machine(), "rounds": options.rounds, "fsyncs_by": how}
    report["rows"] = rows(sides["floor"], sides["ours"])
    out.write_text(json.dumps(report, indent=1) + "\n")
    print(_heading(report), table(report["rows"]), f"\nAs JSON: {out}", sep="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    parser.add_argument("--out", default="build/bench.json", help="the databases lie beside it")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _add_round(sides: dict[str, list[dict[str, Figures]]], disk: Path) -> None:
    """Both sides of a case directly after each other, so that they share the machine's mood."""
    done = {side: dict[str, Figures]() for side in SIDES}
    for case in CASES:
        for side in SIDES:
            done[side][case] = run_case(side, case, disk=disk)
    for side in SIDES:
        sides[side].append(done[side])


def _add_counts(sides: dict[str, list[dict[str, Figures]]], disk: Path) -> str:
    """What needs to be counted only once; says how fsyncs were."""
    sides["floor"][0]["process"]["distributions"] = 0
    sides["ours"][0]["process"]["distributions"] = _distributions()
    for side in SIDES:
        fsyncs = count_fsyncs(side, COUNTED, disk=disk)
        if fsyncs is None:
            return "not counted (no strace); under synchronous=FULL every commit is at least one"
        sides[side][0][COUNTED]["fsyncs"] = fsyncs
    return "strace"


def _distributions() -> int:
    """How many distributions `pip install twelvefold` brings, itself included."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found, left = set[str](), ["twelvefold"]
    while left:
        name = canonicalize_name(left.pop())
        if name not in found:
            found.add(name)
            wanted = [Requirement(line) for line in requires(name) or []]
            left += [r.name for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return len(found)


def _machine() -> dict[str, Any]:
    return {
        "machine": f"{_cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _cpu() -> str:
    """The name that Linux gives the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _heading(report: dict[str, Any]) -> str:
    return (
        f"{report['machine']}; Python {report['python']}, SQLite {report['sqlite']};"
        f" medians of {report['rounds']} rounds; fsyncs by {report['fsyncs_by']}\n"
    )


if __name__ == "__main__":
    main()
