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
import random
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from twelvefold.testing.logs import comparable
from twelvefold.testing.processes import PROCESSES, Order, children
from twelvefold.thread import Json

KILLED = -9
FAULTS_SHOWN_MAX = 3

NEARBY = (0, -1, 1, 0, -1, 1)
"""Where a boundary is looked for again that a run did not meet: what ends side by side may come in
another order, or in one commit, and then the boundaries after it have other numbers."""


@dataclass(frozen=True, slots=True)
class Run:
    """How one scenario ended: comparable logs, effects, and the boundaries it passed. `told` says
    of each thread where it stands."""

    logs: Mapping[str, Json]
    effects: Mapping[str, int]
    boundaries: Sequence[str]
    left: Sequence[str]
    told: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def results(self) -> dict[str, Json]:
        """What each tool returned, by thread and step."""
        return {
            f"{thread}.{step}": data.get("result")
            for thread, log in self.logs.items()
            for step, events in log.items()
            for type, data in events
            if type == "tool_returned"
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """A run that did not come out as the undisturbed one. `effects` are those it had, when it
    ended."""

    kills: Sequence[int]
    where: Sequence[str]
    what: str
    effects: Mapping[str, int] | None = None

    def __str__(self) -> str:
        return f"killed {' and then '.join(self.where) or 'nowhere'}: {self.what}"


@dataclass(slots=True)
class Matrix:
    """What the matrix found. `faults` is empty when every run came out right."""

    undisturbed: Run
    runs: int = 0
    killed_at: dict[str, int] = field(default_factory=dict[str, int])
    faults: list[Fault] = field(default_factory=list[Fault])

    def __str__(self) -> str:
        """For a failing test: `assert matrix.faults == [], str(matrix)`."""
        shown = "\n\n".join(map(str, self.faults[:FAULTS_SHOWN_MAX]))
        return f"{len(self.faults)} of {self.runs} runs came out otherwise.\n\n{shown}"


def crash_matrix(
    build: str,
    *,
    path: Sequence[Path | str] = (),
    seeds: int = 0,
    seeds_each: int = 0,
    processes: int = PROCESSES,
) -> Matrix:
    """Kill the scenario at every boundary; then `seeds` times at several random ones in a row.

    `seeds_each`: so many times at every boundary, and then up to twice in the recovery, wherever
    the seed says. `processes` run side by side.
    `build` names a `Build` function as `module:function`; `path` is put before `sys.path` to find
    it.
    Raises `AssertionError` when the undisturbed run does not end, or two of them differ.
    """
    with children(build, path, processes=processes) as order:
        plain = _undisturbed(order)
        matrix = Matrix(plain)
        points = len(plain.boundaries)
        kills: list[list[int]] = [[n] for n in range(1, points + 1)]
        kills += [_several(seed, points) for seed in range(seeds)]
        kills += [_at(n, seed, points) for n in range(1, points + 1) for seed in range(seeds_each)]
        disturb = partial(_disturbed, order, plain)
        with ThreadPoolExecutor(processes) as pool:
            for ended in pool.map(disturb, kills):
                _count(matrix, *ended)
        for point, name in enumerate(plain.boundaries, start=1):
            tries = iter(NEARBY)
            while name not in matrix.killed_at and (step := next(tries, None)) is not None:
                _count(matrix, *disturb([max(1, point + step)]))
    return matrix


def _count(matrix: Matrix, fault: Fault | None, where: Sequence[str]) -> None:
    matrix.runs += 1
    for name in where:
        matrix.killed_at[name] = matrix.killed_at.get(name, 0) + 1
    if fault is not None:
        matrix.faults.append(fault)


def _several(seed: int, boundaries: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.randint(1, boundaries) for _ in range(chance.randint(2, 4))]


def _at(point: int, seed: int, boundaries: int) -> list[int]:
    chance = random.Random(f"{point}/{seed}")
    return [point, *(chance.randint(1, boundaries) for _ in range(chance.randint(0, 2)))]


def _undisturbed(order: Order) -> Run:
    runs: list[Run] = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            ended = order(Path(folder), {"do": "work", "kill_at": 0})
            assert ended.code == 0, f"the undisturbed run failed: {ended.why}"
            runs.append(_read(Path(folder)))
    assert runs[0].logs == runs[1].logs, "two undisturbed runs gave different logs"
    assert not runs[0].left, f"the undisturbed run left {runs[0].left}"
    return runs[0]


def _disturbed(order: Order, plain: Run, kills: Sequence[int]) -> tuple[Fault | None, list[str]]:
    """Kill one run at these boundaries, one process after the other, then let it finish."""
    where: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = {"do": "work", "results": plain.results}
        for at in kills:
            ended = order(folder, work | {"kill_at": at})
            if ended.code not in (0, KILLED):
                return Fault(kills, where, f"exit {ended.code}: {ended.why}"), where
            if ended.code == KILLED:
                where.append((folder / "killed").read_text())
        ended = order(folder, work | {"kill_at": 0})
        if ended.code != 0:
            return Fault(kills, where, f"did not finish, exit {ended.code}: {ended.why}"), where
        run = _read(folder)
        what = _differences(plain, run)
    return (Fault(kills, where, what, run.effects) if what else None), where


def _differences(plain: Run, run: Run) -> str:
    if run.effects != plain.effects:
        return f"effects: {dict(run.effects)}\ninstead of: {dict(plain.effects)}"
    if run.left:
        return f"left behind: {', '.join(run.left)}"
    for thread, log in plain.logs.items():
        if run.logs.get(thread) != log:
            return _difference(thread, run, log)
    return "" if set(run.logs) == set(plain.logs) else f"threads: {sorted(run.logs)}"


def _difference(thread: str, run: Run, log: Mapping[str, Json]) -> str:
    """The first step of which other events are in the log, and where the thread stands."""
    now: Mapping[str, Json] = run.logs.get(thread) or {}
    step = next(step for step in [*log, *now] if now.get(step) != log.get(step))
    about = f"log of {thread}, {step or 'without a step'}"
    both = f"{json.dumps(now.get(step))}\ninstead of: {json.dumps(log.get(step))}"
    return f"{about}: {both}\n{run.told.get(thread, '')}"


def _read(folder: Path) -> Run:
    ended = json.loads((folder / "ended.json").read_text())
    logs = {thread: comparable(events) for thread, events in ended["logs"].items()}
    return Run(logs, ended["effects"], ended["boundaries"], ended["left"], ended["told"])
