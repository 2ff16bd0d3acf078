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


def test_killed_at_each_wait_it_ends_as_app_does(tmp_path: Path):
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("*.db*"))
    store = SqliteStore(tmp_path / "threads.db")
    people = app_of(example("release_pipeline"), store=store)

    for answer in ANSWERS:
        with loop_on(tmp_path):
            wait_for(lambda: bool(people.inbox()))
        [row] = people.inbox()
        asyncio.run(people.answer(f"{THREAD}.{row.id}", **({"by": "anna"} | answer)))
    with loop_on(tmp_path):
        wait_for(lambda: bool(people.threads(status="finished")))

    assert facts(people.thread(THREAD)) == facts(asyncio.run(with_app(tmp_path)))
    cluster = example("release_pipeline").Cluster(
        tmp_path / "examples" / "release_pipeline" / "cluster.db"
    )
    assert [counts for _, _, *counts in cluster.ledger()] == [[1, 1]] * 3
    store.close()


async def with_app(folder: Path) -> Thread:
    release = example("release_pipeline")
    app: App = app_of(release, deps=release.Cluster(folder / "other.db"))
    await app.launch("release", TRIGGER, thread_id=THREAD)
    await play(app, *ANSWERS)
    return app.thread(THREAD)


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
