"""`make bench-peers`: the floor, ours and the peers, in turns, each in a fresh process.

Prints a table and writes `build/bench-peers.json`. The venvs lie in `build/peers`, by the pins of
`benchmarks/peers/*.txt`.
"""

import argparse
import json
import re
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.figures import SQLITE, Figure
from benchmarks.machine import distributions, load, machine
from benchmarks.processes import Figures, count_fsyncs, run_case
from benchmarks.table import number

SCHEMA = "twelvefold.bench-peers/1"
ROUNDS = 5
OWN = ("floor", "ours")
PEERS = {
    "langgraph": "langgraph",
    "langgraph_delta": "langgraph",
    "dbos": "dbos",
    "pydantic_ai": "pydantic_ai",
    "openai_agents": "openai_agents",
}
"""And whose venv is theirs."""
NAMED = {
    "langgraph": ("langgraph", "langgraph-checkpoint-sqlite"),
    "dbos": ("dbos",),
    "pydantic_ai": ("pydantic-ai-slim", "dbos"),
    "openai_agents": ("openai-agents",),
}
"""The distributions of a venv whose versions are told."""
PINS = Path(__file__).parent
VENVS = Path("build/peers")
COMPARED = ("sequential", "long", "resume", "process", "crowd")
LEFT_OUT = ("commits",)
"""What only our own sides count."""

FIGURES = [f for f in SQLITE if f.case in COMPARED and f.key not in LEFT_OUT]
Rounds = dict[str, list[dict[str, Figures]]]


def main() -> None:
    options = _options()
    disk = Path("build/bench")
    disk.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"schema": SCHEMA, **machine(), "load_before": load()}
    report |= {"rounds": options.rounds, "versions": versions()}
    sides = [*OWN, *options.peers]
    rounds: Rounds = {side: [{} for _ in range(options.rounds)] for side in sides}
    for one in range(options.rounds):
        print(f"round {one + 1}, load {load()}", file=sys.stderr)
        for case in COMPARED:
            for side in sides:
                rounds[side][one][case] = _run(side, case, disk)
    _add_counts(rounds, disk)
    report |= {"load_after": load(), "rows": rows(rounds)}
    Path(options.out).write_text(json.dumps(report, indent=1) + "\n")
    print(markdown(report), f"\nAs JSON: {options.out}", sep="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--out", default="build/bench-peers.json")
    return parser.parse_args()


def _python(side: str) -> str:
    return sys.executable if side in OWN else str(VENVS / PEERS[side] / "bin" / "python")


def _named(side: str, case: str) -> str:
    return case if side in OWN else f"peers.{case}"


def _run(side: str, case: str, disk: Path) -> Figures:
    return run_case(side, _named(side, case), disk=disk, python=_python(side))


def _add_counts(rounds: Rounds, disk: Path) -> None:
    for side, [first, *_] in rounds.items():
        fsyncs = count_fsyncs(side, _named(side, "sequential"), disk=disk, python=_python(side))
        share = 1 if side in OWN else work.THREADS / work.PEER_THREADS
        if fsyncs is not None:
            first["sequential"]["fsyncs"] = fsyncs * share
        first["process"]["distributions"] = distributions() if side == "ours" else 0
        if side not in OWN:
            installed = (VENVS / PEERS[side] / "lib").glob("python3.*/site-packages/*.dist-info")
            first["process"]["distributions"] = len(list(installed))


def versions() -> dict[str, str]:
    """Of each venv, as pinned."""
    return {
        venv: ", ".join(f"{name} {pin(venv, name)}" for name in names)
        for venv, names in NAMED.items()
    }


def pin(venv: str, name: str) -> str:
    text = (PINS / f"{venv}.txt").read_text()
    found = re.search(rf"^{re.escape(name)}(?:\[[^]]*\])?==(\S+)", text, re.MULTILINE)
    assert found, f"{name} is not pinned in {venv}.txt"
    return found[1]


def rows(rounds: Rounds) -> list[dict[str, Any]]:
    """Medians by side, and the median of each round's ratio to its own floor."""
    return [
        {
            "workload": figure.workload,
            "figure": figure.title,
            **{side: _median(_values(figure, rounds[side])) for side in rounds},
            "ratios": {side: _ratio(figure, rounds, side) for side in rounds if side != "floor"},
        }
        for figure in FIGURES
    ]


def _values(figure: Figure, side: Sequence[dict[str, Figures]]) -> list[float]:
    found = [one[figure.case] for one in side]
    return [one[figure.key] / figure.per for one in found if figure.key in one]


def _ratio(figure: Figure, rounds: Rounds, side: str) -> float | None:
    pairs = zip(_values(figure, rounds["floor"]), _values(figure, rounds[side]), strict=False)
    return _median([theirs / floor for floor, theirs in pairs if floor])


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def markdown(report: dict[str, Any]) -> str:
    sides = [side for side in (*OWN, *PEERS) if side in report["rows"][0]]
    lines = [["figure", *sides]]
    lines += [[_title(row), *map(_cell, _of(row, sides))] for row in report["rows"]]
    made = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([made[0], "|---" + "|---:" * len(sides) + "|", *made[1:]])


def _title(row: dict[str, Any]) -> str:
    return f"{row['workload']}: {row['figure']}"


def _of(row: dict[str, Any], sides: Sequence[str]) -> list[tuple[float | None, float | None]]:
    return [(row[side], row["ratios"].get(side)) for side in sides]


def _cell(figures: tuple[float | None, float | None]) -> str:
    value, ratio = figures
    times = f" ({ratio:.1f}x)" if ratio is not None and ratio < work.RATIO_MAX else ""
    return number(value) + times


if __name__ == "__main__":
    main()
