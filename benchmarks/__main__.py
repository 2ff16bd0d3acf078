"""`make bench`: every case by hand and by twelvefold, in turns, each in a fresh process.

Prints a table and writes `build/bench.json`. Nothing fails on a timing: goals stand beside figures.
`make bench-scale` is the same for what takes long: `--large`.
"""

import argparse
import json
import sys
from collections.abc import Generator, Iterable
from compileall import compile_dir
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.figures import ALONE, BENCH, LARGE, ON_POSTGRES, ONCE, Figure
from benchmarks.machine import distributions, load, machine
from benchmarks.processes import Figures, count_fsyncs, postgres, run_case
from benchmarks.table import rows, table

SCHEMA = "twelvefold.bench/2"
SIDES = ("floor", "ours")
ROUNDS = 5
COUNTED = "sequential"
"""The case whose fsyncs are counted, once and untimed: strace slows what it watches."""

Sides = dict[str, list[dict[str, Figures]]]


def main() -> None:
    options = _options()
    out = Path(options.out or ("build/bench-scale.json" if options.large else "build/bench.json"))
    compile_dir("src", quiet=2)  # as pip does when it installs: else each process would do it again
    compile_dir("benchmarks", quiet=2)
    disk = out.parent / "bench"
    disk.mkdir(parents=True, exist_ok=True)
    wanted = [f for f in (LARGE if options.large else BENCH) if _is_wanted(f, options.only)]
    report: dict[str, Any] = {"schema": SCHEMA, **machine(), "load_before": load()}
    sides: Sides = {side: [{} for _ in range(options.rounds)] for side in SIDES}
    with _server(wanted) as (about, cases):
        for number in range(options.rounds):
            _add_round(sides, cases, disk, number)
        how = _add_counts(sides, cases, disk)
    report |= {"load_after": load(), "rounds": options.rounds, "fsyncs_by": how, "postgres": about}
    report["rows"] = rows(wanted, sides)
    out.write_text(json.dumps(report, indent=1) + "\n")
    print(heading(report), table(report["rows"]), f"\nAs JSON: {out}", sep="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    parser.add_argument("--large", action="store_true", help="what `make bench` leaves out")
    parser.add_argument("--only", nargs="*", default=[], help="workloads, such as W1 P5 E")
    parser.add_argument("--out", help="the databases lie beside it")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _is_wanted(figure: Figure, only: list[str]) -> bool:
    return not only or figure.workload.startswith(tuple(only))


@contextmanager
def _server(figures: Iterable[Figure]) -> Generator[tuple[str, list[str]]]:
    """What the server is, and the cases that can run: without one, those that need none."""
    cases = list(dict.fromkeys(figure.case for figure in figures))
    if not any(case.startswith(ON_POSTGRES) for case in cases):
        yield "not needed", cases
        return
    with postgres() as (about, is_up):
        if not is_up:
            print(f"left out: {about}", file=sys.stderr)
            cases = [case for case in cases if not case.startswith(ON_POSTGRES)]
        yield about, cases


def _add_round(sides: Sides, cases: list[str], disk: Path, number: int) -> None:
    """Both sides of a case directly after each other, so that they share the machine's mood."""
    print(f"round {number + 1}, load {load()}", file=sys.stderr)
    for case in cases:
        if number and case in ONCE:
            continue
        for side in SIDES:
            if side == "ours" or case not in ALONE:
                sides[side][number][case] = run_case(side, case, disk=disk)


def _add_counts(sides: Sides, cases: list[str], disk: Path) -> str:
    """What needs to be counted only once; says how fsyncs were."""
    if "process" in cases:
        sides["floor"][0]["process"]["distributions"] = 0
        sides["ours"][0]["process"]["distributions"] = distributions()
    if COUNTED not in cases:
        return "not counted"
    for side in SIDES:
        fsyncs = count_fsyncs(side, COUNTED, disk=disk)
        if fsyncs is None:
            return "not counted (no strace); under synchronous=FULL every commit is at least one"
        sides[side][0][COUNTED]["fsyncs"] = fsyncs
    return "strace"


def heading(report: dict[str, Any]) -> str:
    return (
        f"{report['taken_at']}, commit {report['commit']}: {report['machine']}; Python"
        f" {report['python']}, SQLite {report['sqlite']}; load {report['load_before']} before,"
        f" {report['load_after']} after; medians of up to {report['rounds']} rounds; fsyncs by"
        f" {report['fsyncs_by']}; Postgres: {report['postgres']}\n"
    )


if __name__ == "__main__":
    main()
