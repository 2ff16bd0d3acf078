"""own_loop.py: short, honest, and equal to what App does, although it is killed at every wait."""

import ast
import asyncio
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from loading import EXAMPLES, app_of, approve, deny, example, play

from twelvefold import App
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import Thread

LOOP_LINES_MAX = 40
TIMEOUT_S = 60.0
THREAD = "mine"
TRIGGER = "deploy SHA 4af9ec0 to production"
ANSWERS = [deny("can you deploy the backend first?"), approve(), approve()]


def test_the_loop_is_short_and_needs_no_app_and_no_advance():
    tree = ast.parse((EXAMPLES / "own_loop.py").read_text(encoding="utf-8"))
    [loop] = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    names = {
        n.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for n in node.names
    }

    assert (loop.end_lineno or 0) - loop.lineno + 1 <= LOOP_LINES_MAX
    assert not names & {"App", "SyncApp", "advance", "EmbeddedEngine", "app"}


@pytest.mark.parametrize("fails_in", ["", "production"], ids=["shipped", "rolled back"])
def test_killed_at_each_wait_it_ends_as_app_does(tmp_path: Path, fails_in: str):
    copy = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns("*.db*"))
    cluster = copy / "release_pipeline" / "cluster.py"
    text = cluster.read_text()
    cluster.write_text(text.replace('"cluster.db")', f'"cluster.db", e2e_fails_in="{fails_in}")'))
    store = SqliteStore(tmp_path / "threads.db")
    people = app_of(example("release_pipeline"), store=store)
    answers = [*ANSWERS, approve()] if fails_in else ANSWERS

    for answer in answers:
        with loop_on(tmp_path):
            wait_for(lambda: bool(people.inbox()))
        [row] = people.inbox()
        asyncio.run(people.answer(f"{row.ref.id}.{row.id}", **({"by": "anna"} | answer)))
    with loop_on(tmp_path):
        wait_for(lambda: people.threads()[-1].status == "finished")

    other = asyncio.run(with_app(tmp_path, fails_in, answers))
    assert {t.id: facts(t) for t in threads(people)} == {t.id: facts(t) for t in threads(other)}
    ledger = example("release_pipeline").Cluster(cluster.with_name("cluster.db")).ledger()
    assert [counts for _, _, *counts in ledger] == [[1, 1]] * len(answers)
    store.close()


async def with_app(folder: Path, fails_in: str, answers: list[Any]) -> App:
    release = example("release_pipeline")
    cluster = release.Cluster(folder / "other.db", e2e_fails_in=fails_in)
    app = app_of(release, deps=cluster)
    await app.launch("release", TRIGGER, thread_id=THREAD)
    await play(app, *answers)
    return app


def threads(app: App) -> list[Thread]:
    return [app.thread(row.ref.id) for row in app.threads()]


@contextmanager
def loop_on(folder: Path) -> Iterator[None]:
    """A process that runs own_loop.py until it is killed."""
    command = [sys.executable, str(folder / "examples" / "own_loop.py"), "threads.db", TRIGGER]
    process = subprocess.Popen(command, cwd=folder)
    try:
        yield
        assert process.poll() is None, "the loop ended by itself"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def wait_for(holds: Any) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, "this did not come about"
        time.sleep(0.02)


def facts(thread: Thread) -> list[Any]:
    """Every event without its time and what is measured: the digests and prompt hashes are kept."""
    measured = {"deadline", "latency_s"}
    return [
        (e.seq, e.type, e.key, e.after, {k: v for k, v in e.data.items() if k not in measured})
        for e in thread.events
    ]
