"""Rows of figures: their medians and ratios, and how they are shown."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.figures import Figure, Goal
from benchmarks.processes import Figures

Round = Mapping[str, Figures]
"""The figures of each case, in one round."""
Rounds = Mapping[str, Sequence[Round]]
"""By side."""
Row = Mapping[str, Any]


def rows(figures: Iterable[Figure], rounds: Rounds) -> list[dict[str, Any]]:
    """Medians over the rounds; the ratio is the median of the rounds' own ratios."""
    return [_row(figure, rounds) for figure in figures if _values(figure, rounds["ours"])]


def _row(figure: Figure, rounds: Rounds) -> dict[str, Any]:
    theirs, mine = _values(figure, rounds["floor"]), _values(figure, rounds["ours"])
    ratios = [m / t for m, t in zip(mine, theirs, strict=False) if t]
    ours, ratio = _median(mine), _median(ratios)
    return {
        "workload": figure.workload,
        "figure": figure.title,
        "floor": _median(theirs),
        "ours": ours,
        "ratio": ratio,
        "goal": asdict(figure.goal) if figure.goal else None,
        "verdict": figure.goal.verdict(ours, ratio) if figure.goal else "",
        "rounds": {"floor": theirs, "ours": mine},
    }


def _values(figure: Figure, side: Sequence[Round]) -> list[float]:
    found = [one[figure.case] for one in side if figure.case in one]
    return [one[figure.key] / figure.per for one in found if figure.key in one]


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


HEAD = ("", "", "floor", "ours", "ratio", "goal", "")


def table(rows: Sequence[Row]) -> str:
    """Aligned text, one line per row."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(_aligned(line, widths) for line in lines)


def markdown(rows: Sequence[Row]) -> str:
    lines = [("figure", *HEAD[2:]), *(_short(cells(row)) for row in rows)]
    made = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([made[0], "|---|---:|---:|---:|---|---|", *made[1:]])


def cells(row: Row) -> tuple[str, ...]:
    ratio = number(row["ratio"]) + "x" if row["ratio"] is not None else "-"
    goal = str(Goal(**row["goal"])) if row["goal"] else ""
    figures = (number(row["floor"]), number(row["ours"]), ratio)
    return (row["workload"], row["figure"], *figures, goal, row["verdict"])


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def _short(line: tuple[str, ...]) -> tuple[str, ...]:
    workload, figure, *rest, verdict = line
    return (f"{workload}: {figure}", *rest, "**missed**" if verdict == "missed" else verdict)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    left = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
    right = [cell.rjust(width) for cell, width in zip(line[2:5], widths[2:5], strict=True)]
    return "  ".join([*left, *right, line[5].ljust(widths[5]), line[6]]).rstrip()
