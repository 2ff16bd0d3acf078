"""The crash matrix: a real process is killed with SIGKILL at every boundary of your agent's work.

You give a `Scenario`: your app on a given store, how its thread is launched, what people answer,
and
what the outside world says has happened. `crash_matrix` runs it once undisturbed and counts the
boundaries (each commit, model call, answer, and each `point(...)` your own fakes call). Then it
runs
it once per boundary, killed there, and lets a new process finish. The logs must be equal and the
outside world must say the same.

SIGKILL does not test the loss of power: what the kernel had taken is kept.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from twelvefold.app import App
from twelvefold.store import ContactRow
from twelvefold.testing.logs import comparable
from twelvefold.thread import Json

Point = Callable[[str], None]
"""Marks a boundary of the scenario's own, such as before and after an effect."""

KILLED = -9
CHILD_TIMEOUT_S = 120.0
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Scenario:
    """One piece of work from launch to end.

    - `app` on the folder's own store. It is closed by the matrix.
    - `launch`: begins the thread or threads, with ids of its own, so that it may be called again.
    - `answer`: what somebody says to an open contact: keyword arguments of `App.answer`.
    - `effects`: what the outside world says has happened, as {effect: how often it took place}.
    """

    app: App
    launch: Callable[[App], Awaitable[object]]
    answer: Callable[[ContactRow], Mapping[str, Any]]
    effects: Callable[[], Mapping[str, int]]


Build = Callable[[Path, Point], Scenario]


@dataclass(frozen=True, slots=True)
class Run:
    """How one scenario ended: comparable logs, effects, and the boundaries it passed."""

    logs: Mapping[str, Json]
    effects: Mapping[str, int]
    boundaries: Sequence[str]
    left: Sequence[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A run that did not come out as the undisturbed one."""

    kills: Sequence[int]
    where: Sequence[str]
    what: str


@dataclass(slots=True)
class Matrix:
    """What the matrix found. `faults` is empty when every run came out right."""

    undisturbed: Run
    runs: int = 0
    killed_at: dict[str, int] = field(default_factory=dict[str, int])
    faults: list[Fault] = field(default_factory=list[Fault])


def crash_matrix(build: str, *, path: Sequence[Path | str] = (), seeds: int = 0) -> Matrix:
    """Kill the scenario at every boundary; then `seeds` times at several random ones in a row.

    `build` names a `Build` function as `module:function`; `path` is put before `sys.path` to find
    it.
    Raises `AssertionError` when the undisturbed run does not end, or two of them differ.
    """
    with _children(build, path) as run_child:
        plain = _undisturbed(run_child)
        matrix = Matrix(plain)
        kills: list[list[int]] = [[n] for n in range(1, len(plain.boundaries) + 1)]
        kills += [_several(seed, len(plain.boundaries)) for seed in range(seeds)]
        with ThreadPoolExecutor(PROCESSES) as pool:
            disturb = partial(_disturbed, run_child, plain)
            for fault, where in pool.map(disturb, kills):
                matrix.runs += 1
                for name in where:
                    matrix.killed_at[name] = matrix.killed_at.get(name, 0) + 1
                if fault is not None:
                    matrix.faults.append(fault)
    return matrix


def _several(seed: int, boundaries: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.randint(1, boundaries) for _ in range(chance.randint(2, 4))]


RunChild = Callable[[Path, int], tuple[int, str]]


def _undisturbed(run_child: RunChild) -> Run:
    runs: list[Run] = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            code, said = run_child(Path(folder), 0)
            assert code == 0, f"the undisturbed run failed:\n{said}"
            runs.append(_read(Path(folder)))
    assert runs[0].logs == runs[1].logs, "two undisturbed runs gave different logs"
    assert not runs[0].left, f"the undisturbed run left {runs[0].left}"
    return runs[0]


def _disturbed(
    run_child: RunChild, plain: Run, kills: Sequence[int]
) -> tuple[Fault | None, list[str]]:
    """Kill one run at these boundaries, one process after the other, then let it finish."""
    where: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for at in kills:
            code, said = run_child(folder, at)
            if code not in (0, KILLED):
                return Fault(kills, where, f"exit {code}:\n{said}"), where
            if code == KILLED:
                where.append((folder / "killed").read_text())
        code, said = run_child(folder, 0)
        if code != 0:
            return Fault(kills, where, f"did not finish, exit {code}:\n{said}"), where
        what = _differences(plain, _read(folder))
    return (Fault(kills, where, what) if what else None), where


def _differences(plain: Run, run: Run) -> str:
    if run.effects != plain.effects:
        return f"effects: {dict(run.effects)}\ninstead of: {dict(plain.effects)}"
    if run.left:
        return f"left behind: {', '.join(run.left)}"
    for thread, log in plain.logs.items():
        if run.logs.get(thread) != log:
            now = json.dumps(run.logs.get(thread))
            return f"log of {thread}: {now}\ninstead of: {json.dumps(log)}"
    return "" if set(run.logs) == set(plain.logs) else f"threads: {sorted(run.logs)}"


def _read(folder: Path) -> Run:
    ended = json.loads((folder / "ended.json").read_text())
    logs = {thread: comparable(events) for thread, events in ended["logs"].items()}
    return Run(logs, ended["effects"], ended["boundaries"], ended["left"])


@contextmanager
def _children(build: str, path: Sequence[Path | str]) -> Generator[RunChild]:
    """A pool of servers, each of which loads the scenario once and forks a child per run."""
    before = os.pathsep.join(str(p) for p in path)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([before, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "twelvefold.testing.crash_child", build]
    servers = [
        subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    idle = list(servers)

    def run_child(folder: Path, kill_at: int) -> tuple[int, str]:
        server = idle.pop()
        try:
            return _ask(server, folder, kill_at)
        finally:
            idle.append(server)

    try:
        yield run_child
    finally:
        for server in servers:
            server.kill()
            server.communicate()


def _ask(server: "subprocess.Popen[str]", folder: Path, kill_at: int) -> tuple[int, str]:
    asking: IO[str] | None = server.stdin
    telling: IO[str] | None = server.stdout
    assert asking is not None
    assert telling is not None
    asking.write(json.dumps({"folder": str(folder), "kill_at": kill_at}) + "\n")
    asking.flush()
    line = telling.readline()
    assert line, "the crash server ended; is the scenario's module importable?"
    said = folder / "said"
    return int(json.loads(line)["code"]), said.read_text() if said.exists() else ""
