"""Which figures are made of the cases, what they should be, and how they are shown."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from benchmarks import work
from benchmarks.processes import Figures

IDEAL_S = (work.STEPS + 1) * work.MODEL_S
"""What 100 threads would take if all but the model cost nothing."""


@dataclass(frozen=True)
class Goal:
    """What ours, or its ratio to the floor, should be at most. Nothing fails when it is not."""

    of: Literal["ours", "ratio"]
    target: float
    must: float | None = None

    def __str__(self) -> str:
        sign = "x" if self.of == "ratio" else ""
        must = f"must {self.must:g}{sign}, " if self.must is not None else ""
        return f"{must}target {self.target:g}{sign}"


@dataclass(frozen=True)
class Figure:
    """One line of the table. `per` divides what the case counted."""

    workload: str
    case: str
    key: str
    title: str
    goal: Goal | None = None
    per: float = 1.0


FIGURES = (
    Figure("W1", "sequential", "ms", "ms per step", Goal("ratio", 1.8, 2.5)),
    Figure("W1", "sequential", "cpu_ms", "CPU ms per step", Goal("ours", 0.35)),
    Figure("W1", "sequential", "commits", "commits per step"),
    Figure("W1", "sequential", "fsyncs", "fsyncs per step", per=work.THREADS * work.STEPS),
    Figure("W2", "long", "early_ms", f"ms at step {work.EARLY}"),
    Figure("W2", "long", "late_ms", f"ms at step {work.LATE}"),
    Figure("W2", "long", "growth", "late / early", Goal("ours", 1.3)),
    Figure("W2", "long", "bytes", "MB stored, vacuumed", Goal("ours", 0.5), per=1e6),
    Figure("W2", "long", "bytes_as_is", "MB as it is, with WAL", per=1e6),
    Figure("W3", "resume", "warm_ms", "ms to the tool, warm", Goal("ours", 0.5)),
    Figure("W3", "resume", "cold_ms", "ms to the tool, cold", Goal("ours", 250)),
    Figure("W4", "process", "process_ms", "ms, one-step process", Goal("ours", 260)),
    Figure("W4", "process", "peak_mb", "peak MB", Goal("ours", 45)),
    Figure("W4", "process", "distributions", "distributions", Goal("ours", 14)),
    Figure("W5", "crowd", "wall_s", "wall / ideal", Goal("ours", 1.3, 1.6), per=IDEAL_S),
    Figure("W5", "crowd", "commits", "commits per step"),
    *(Figure("S1", "scale", f"fold_s_{n}", f"s to load and fold {n:,}") for n in work.SCALES[:-1]),
    Figure("S1", "scale", "fold_s_100000", "s to load and fold 100,000", Goal("ours", 2.0)),
    *(Figure("S2", "scale", f"turn_ms_{n}", f"ms to render a turn at {n:,}") for n in work.SCALES),
    Figure("T1", "tokens", "json", "tokens; floor: provider chat", Goal("ratio", 0.75)),
    Figure("T1", "tokens", "texts", "the same, texts alone"),
    Figure("T2", "tokens", "changed", "bytes changed before a mark", Goal("ours", 0)),
)
CASES = tuple(dict.fromkeys(figure.case for figure in FIGURES))

Round = Mapping[str, Figures]
"""The figures of each case, in one round."""


def rows(floor: Sequence[Round], ours: Sequence[Round]) -> list[dict[str, Any]]:
    """Medians over the rounds; the ratio is the median of the rounds' own ratios."""
    return [_row(figure, floor, ours) for figure in FIGURES]


def _row(figure: Figure, floor: Sequence[Round], ours: Sequence[Round]) -> dict[str, Any]:
    theirs, mine = _values(figure, floor), _values(figure, ours)
    ratios = [m / t for m, t in zip(mine, theirs, strict=False) if t]
    return {
        "workload": figure.workload,
        "figure": figure.title,
        "floor": _median(theirs),
        "ours": _median(mine),
        "ratio": _median(ratios),
        "goal": asdict(figure.goal) if figure.goal else None,
        "rounds": {"floor": theirs, "ours": mine},
    }


def _values(figure: Figure, side: Sequence[Round]) -> list[float]:
    found = [one[figure.case][figure.key] for one in side if figure.key in one[figure.case]]
    return [value / figure.per for value in found]


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Aligned text, one line per row."""
    head = ("", "", "floor", "ours", "ratio", "")
    lines = [head, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    ratio = _number(row["ratio"]) + "x" if row["ratio"] is not None else "-"
    goal = str(Goal(**row["goal"])) if row["goal"] else ""
    return row["workload"], row["figure"], _number(row["floor"]), _number(row["ours"]), ratio, goal


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    left = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
    right = [cell.rjust(width) for cell, width in zip(line[2:5], widths[2:5], strict=True)]
    return "  ".join([*left, *right, line[5]]).rstrip()
