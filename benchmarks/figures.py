"""Which figures are made of the cases, and what they should be."""

from dataclasses import dataclass
from typing import Literal

from benchmarks import work

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

    def verdict(self, ours: float | None, ratio: float | None) -> str:
        value = ours if self.of == "ours" else ratio
        if value is None:
            return ""
        if value <= self.target:
            return "met"
        return "must met" if self.must is not None and value <= self.must else "missed"


@dataclass(frozen=True)
class Figure:
    """One line of the table. `per` divides what the case counted."""

    workload: str
    case: str
    key: str
    title: str
    goal: Goal | None = None
    per: float = 1.0


SQLITE = (
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

CURVES = (
    *(
        Figure("C1", "curves.steps", f"ms_{n}", f"ms per step at step {n:,}")
        for n in work.CURVE_STEPS
    ),
    *(
        Figure("C2", "curves.threads", f"ms_{n}", f"ms per step beside {n:,} threads")
        for n in work.CURVE_THREADS
    ),
    *(
        Figure("C3", "curves.tenants", f"ms_{n}", f"ms per step, {n} tenants")
        for n in work.CURVE_TENANTS
    ),
)

POSTGRES = (
    Figure("P1", "postgres.sequential", "ms", "W1 on Postgres: ms per step", Goal("ratio", 2.0)),
    Figure("P1", "postgres.sequential", "cpu_ms", "CPU ms per step, client"),
    Figure("P1", "postgres.sequential", "trips", "round trips per step"),
    Figure("P5", "postgres.crowd", "wall_s", "W5: wall / ideal", Goal("ratio", 2.0), per=IDEAL_S),
    *(
        Figure("PC", "postgres.steps", f"ms_{n}", f"ms per step at step {n:,}")
        for n in work.CURVE_STEPS
    ),
)

ENGINE = (
    Figure("E1", "engine.wake", "p50_ms", "ms from launch to model, p50", Goal("ours", 25)),
    Figure("E1", "engine.wake", "p99_ms", "the same, p99", Goal("ours", 150)),
    Figure("E2", "engine.takeover", "default_s", "s from kill -9 to takeover", Goal("ours", 15)),
    Figure("E2", "engine.takeover", "tuned_s", "the same, --stall 6", Goal("ours", 7)),
    Figure(
        "E5", "engine.crowd", "wall_s", "W5, 2 workers: wall / ideal", Goal("ratio", 2), per=IDEAL_S
    ),
    *(
        Figure("EC", "engine.throughput", f"ms_{n}", f"ms per step, workers: {n}")
        for n in work.WORKERS
    ),
)

LISTS = (
    "threads",
    "next threads",
    "threads of a status",
    "threads of an agent",
    "inbox",
    "inbox, 1,000",
    "a thread by its end",
    "a whole thread",
)
PAGES = tuple(name for name in LISTS if name != "inbox, 1,000")
PAGE = Goal("ours", 50)
LARGE = (
    *(Figure("L1", "large.lists", f"{name}, p50", f"ms: {name}, p50") for name in LISTS),
    *(Figure("L1", "large.lists", f"{name}, p95", f"ms: {name}, p95", PAGE) for name in PAGES),
    Figure("L2", "large.paused", "kb", "KB of rows per paused thread", Goal("ours", 10)),
    Figure("L2", "large.paused", "timers", "timers of 10,000 of them", Goal("ours", 0)),
    Figure("L2", "large.paused", "wakes", "wakes of them", Goal("ours", 0)),
    Figure("L2", "large.paused", "jobs", "jobs of them", Goal("ours", 0)),
    Figure("L2", "large.paused", "idle_cpu_ms", "CPU ms per s of an idle worker"),
    Figure("L2", "large.paused", "idle_mb", "its peak MB"),
)

BENCH = (*SQLITE, *CURVES, *POSTGRES, *ENGINE)
ALONE = frozenset({"curves.tenants", "engine.wake", "engine.takeover"}) | {
    figure.case for figure in LARGE
}
"""Cases without a floor."""
ONCE = ALONE | {"curves.threads", "engine.throughput", "tokens"}
"""Cases that one round is enough for: each takes the median, or the worst, of many."""
ON_POSTGRES = ("postgres.", "engine.", "large.")
"""How the cases begin that need a server."""
