"""A thread that waited under any earlier version loads, reads, replays, resumes and finishes today.

The logs lie in `golden/<version>/`, recorded by `golden/record.py`. No test writes there.
"""

import hashlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "examples"))

from crew import STORES, store_of
from golden.cases import CASES, GOLDEN, Case, Ticking, finish, golden
from twelvefold import render
from twelvefold.context import parse
from twelvefold.files import markdown
from twelvefold.plan import replay
from twelvefold.testing import MemoryStore
from twelvefold.testing.logs import put
from twelvefold.thread import Thread

pytestmark = pytest.mark.anyio

LOGS = sorted(GOLDEN.glob("*/*.jsonl"))
SETTLED = frozenset({"tool_returned", "tool_failed"})


def case_of(path: Path) -> Case:
    return CASES[path.stem]


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


each_log = pytest.mark.parametrize("path", LOGS, ids=name_of)


def test_every_case_is_recorded():
    assert {path.stem for path in LOGS} == set(CASES)


@each_log
def test_a_golden_log_is_still_the_one_that_was_recorded(path: Path):
    sums = dict(
        reversed(line.split("  ")) for line in (path.parent / "SHA256SUMS").read_text().splitlines()
    )

    assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[path.name]


@each_log
def test_a_golden_log_loads_without_loss(path: Path):
    assert "".join(thread.to_jsonl() for thread in golden(path)) == path.read_text(encoding="utf-8")


@each_log
def test_every_prefix_of_a_golden_log_folds_and_renders(path: Path):
    case = case_of(path)
    app = case.build(MemoryStore(), Ticking(), [])

    for thread in golden(path):
        for n in range(thread.head + 1):
            state = app.agent(thread.agent).state(thread.upto(n))
            assert state.newer is None
            assert parse(render(thread.upto(n))) is not None
        assert markdown(thread).count("\n## ") == thread.head


@each_log
def test_the_decisions_of_a_golden_log_are_made_again(path: Path):
    case = case_of(path)
    app = case.build(MemoryStore(), Ticking(), [])
    found = [d for thread in golden(path) for d in replay(thread, app.agent(thread.agent))]

    assert case.before or [str(d) for d in found if d.kind == "decision"] == []


@each_log
@pytest.mark.parametrize("kind", STORES)
async def test_a_golden_log_resumes_and_finishes(path: Path, kind: str, tmp_path: Path):
    case, threads, effects = case_of(path), golden(path), []
    store = store_of(kind, tmp_path)
    put(store, *threads)
    newest = max(event.at for thread in threads for event in thread.events)
    app = case.build(store, Ticking(newest + timedelta(minutes=1)), effects)

    await finish(case, app)

    assert {row.ref.id: row.status for row in store.threads()} == dict(case.statuses)
    assert effects == [f"default/{ending}" for ending in case.effects]
    for before in threads:
        after = store.load(before.id)
        assert list(after.upto(before.head).events) == list(before.events)
        assert len(settled(after)) == len(set(settled(after)))
    store.close()


def settled(thread: Thread) -> list[str]:
    """The steps that a tool settled, once each unless one ran twice."""
    return [event.data["step"] for event in thread.events if event.type in SETTLED]


def every_line() -> Iterator[str]:
    for path in LOGS:
        yield from path.read_text(encoding="utf-8").splitlines()


def test_golden_logs_name_no_place_of_the_machine_that_recorded_them():
    assert not [line for line in every_line() if "/home/" in line or "/work/" in line]
