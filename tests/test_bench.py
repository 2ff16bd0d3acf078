"""Every case of the bench runs, tiny: figures are of work that is done, and no case may rot."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from benchmarks import page, table, work
from benchmarks.figures import ALONE, BENCH, LARGE, ON_POSTGRES, Figure, Goal
from benchmarks.peers.__main__ import FIGURES, PEERS, pin, rows, versions
from benchmarks.peers.__main__ import markdown as peers_markdown
from benchmarks.processes import SERVER

from postgres.cluster import Cluster

ROOT = Path(__file__).parent.parent
TINY = {
    "STEPS": 2,
    "THREADS": 2,
    "PEER_THREADS": 1,
    "LONG_STEPS": 60,
    "LATE": 60,
    "WINDOW": 4,
    "EARLY": 10,
    "CROWD": 3,
    "RESUMES": 2,
    "SCALES": (10, 20),
    "BATCH": 8,
    "CURVE_STEPS": (10, 20),
    "CURVE_THREADS": (2, 4),
    "CURVE_TENANTS": (1, 2),
    "CURVE_SAMPLE": 2,
    "WORKERS": (1,),
    "MODEL_S": 0.0,
}
TINY_ENGINE = {"WAKES": 2, "TAKEOVERS": 1, "DEFAULT_STALL_S": 1.0, "TUNED_STALL_S": 1.0}
TINY_LARGE = {"PAUSED": 4, "TOGETHER": 2, "IDLE_S": 0.1}
TINY_LISTS = {"THREADS": 60, "EVENTS_EACH": 3, "OPEN": 10, "ROUNDS": 2}
SIDES = [
    (side, case)
    for case in dict.fromkeys(figure.case for figure in (*BENCH, *LARGE))
    for side in ("floor", "ours")
    if (side == "ours" or case not in ALONE) and case != "tokens"  # which has tests of its own
]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    def shrink(module: ModuleType, values: dict[str, object]) -> None:
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)

    shrink(work, TINY)
    shrink(import_module("benchmarks.engine.ours"), TINY_ENGINE)
    shrink(import_module("benchmarks.large.ours"), TINY_LARGE)
    shrink(import_module("benchmarks.large.lists"), TINY_LISTS)


@pytest.mark.parametrize(("side", "case"), SIDES, ids=lambda part: part)
def test_a_case_runs_and_has_its_figures(side, case, tmp_path, request, monkeypatch):
    if case.startswith(ON_POSTGRES):
        postgres: Cluster = request.getfixturevalue("postgres")
        monkeypatch.setenv(SERVER, postgres.url)
    *package, name = case.split(".")
    module = import_module(".".join(["benchmarks", *package, side]))

    found = getattr(module, name)(tmp_path)

    assert all(isinstance(value, int | float) for value in found.values())
    if side == "ours":
        wanted = {figure.key for figure in (*BENCH, *LARGE) if figure.case == case}
        assert wanted - set(found) <= COUNTED_ELSEWHERE | SIZED, wanted - set(found)


COUNTED_ELSEWHERE = {"fsyncs", "process_ms", "peak_mb", "distributions"}
SIZED = {figure.key for figure in BENCH if re.search(r"_\d+\Z", figure.key)}
"""Named after sizes, which are others here."""


def test_a_row_is_the_median_of_its_rounds_and_a_missed_goal_is_said():
    figure = Figure("W1", "sequential", "ms", "ms per step", Goal("ratio", 1.8, 2.5))
    rounds = {
        "floor": [{"sequential": {"ms": 1.0}}, {"sequential": {"ms": 2.0}}, {}],
        "ours": [{"sequential": {"ms": 2.0}}, {"sequential": {"ms": 6.0}}, {}],
    }

    [row] = table.rows([figure], rounds)

    assert (row["floor"], row["ours"], row["ratio"]) == (1.5, 4.0, 2.5)
    assert row["verdict"] == "must met"
    assert "| W1: ms per step | 1.50 | 4 | 2.50x | must 2.5x, target 1.8x | must met |" in (
        table.markdown([row])
    )
    assert Goal("ours", 1.0).verdict(1.5, None) == "missed"


def test_what_was_not_measured_has_no_row():
    assert table.rows(BENCH, {"floor": [{}], "ours": [{}]}) == []


def test_the_page_has_a_place_for_each_report_and_takes_it(tmp_path):
    text = page.PAGE.read_text()
    report = {
        "taken_at": "now", "commit": "c0ffee", "rounds": 5, "machine": "m", "python": "3",
        "sqlite": "3", "load_before": "0", "load_after": "0", "postgres": "18", "rows": [],
    }  # fmt: skip

    for name in ("bench", "scale"):
        once = page.filled(text, name, report)
        assert "commit `c0ffee`" in once
        assert page.filled(once, name, report) == once


def test_peers_are_pinned_by_hash_and_their_table_has_a_column_each():
    for peer, venv in PEERS.items():
        text = (ROOT / f"benchmarks/peers/{venv}.txt").read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text
        assert (ROOT / f"benchmarks/peers/{peer}.py").exists()
    assert pin("dbos", "dbos") in versions()["dbos"]
    rounds = {
        side: [{figure.case: {figure.key: 1.0} for figure in FIGURES}]
        for side in ("floor", "ours", *PEERS)
    }

    shown = peers_markdown({"rows": rows(rounds)})

    assert shown.splitlines()[0] == f"| figure | floor | ours | {' | '.join(PEERS)} |"


def test_the_starter_of_cases_loads_nothing_of_ours():
    # A new process inherits the peak of the one that starts it.
    check = "import sys, benchmarks.__main__; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", f"import json; {check}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    loaded = set(json.loads(done.stdout))
    assert not {name for name in loaded if name.partition(".")[0] in {"twelvefold", "psycopg"}}
