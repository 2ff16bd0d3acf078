"""Runs scenarios of the crash matrix in child processes; `python -m
twelvefold.testing.crash_child`.

Reads one JSON line per run, forks, and answers with the child's exit code. Forking a process that
has loaded everything costs milliseconds where a new interpreter costs a third of a second.
"""

import asyncio
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from twelvefold.app import App
from twelvefold.messages import Model, ModelReply, ModelRequest
from twelvefold.store import Append, EmbeddedStore
from twelvefold.testing.crash import Build, Point, Scenario
from twelvefold.thread import Event, Json

ROUNDS_MAX = 200
RUN_TIMEOUT_S = 60


class _Boundaries:
    """Counts boundaries, and kills this process at the chosen one. 0 kills nowhere."""

    def __init__(self, folder: Path, kill_at: int) -> None:
        self.folder, self.kill_at = folder, kill_at
        self.passed: list[str] = []

    def point(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) == self.kill_at:
            (self.folder / "killed").write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)


class _PointedStore:
    """A store with a boundary before and after each commit."""

    def __init__(self, store: EmbeddedStore, point: Point) -> None:
        self._store, self._point = store, point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        what = _kind(appends)
        self._point(f"before commit of {what}")
        stored = await self._store.commit(*appends)
        self._point(f"after commit of {what}")
        return stored


def _kind(appends: Sequence[Append]) -> str:
    types = [draft.type for append in appends for draft in append.drafts]
    return types[-1] if types else "nothing"


def _pointed_model(model: Model, point: Point) -> Model:
    async def call(request: ModelRequest) -> ModelReply:
        point("before model call")
        reply = await model(request)
        point("after model call")
        return reply

    return call


async def _work(scenario: Scenario, point: Point) -> list[str]:
    """Launch, advance, answer, until nobody is asked any more. What is left woken or waiting."""
    app = scenario.app
    await scenario.launch(app)
    for _ in range(ROUNDS_MAX):
        engine = await app.run(until_idle=True)
        for ref, error in engine.errors.items():
            raise RuntimeError(f"{ref.id}: {error}") from error
        waiting = app.inbox()
        if not waiting:
            return [f"{woken.ref.id} is woken" for woken in app.store.woken()]
        for contact in waiting:
            point("before answer")
            await app.answer(f"{contact.ref.id}.{contact.id}", **scenario.answer(contact))
            point("after answer")
    raise RuntimeError(f"people were still asked after {ROUNDS_MAX} rounds")


def _child(build: Build, folder: Path, kill_at: int) -> None:
    boundaries = _Boundaries(folder, kill_at)
    scenario = build(folder, boundaries.point)
    app = scenario.app
    models = {name: _pointed_model(model, boundaries.point) for name, model in app.models.items()}
    store: Any = _PointedStore(app.store, boundaries.point)
    pointed = App(
        app.agents.values(),
        store=store,
        models=models,
        settles=app.settles.levels,
        clock=app.clock,
    )
    working = Scenario(pointed, scenario.launch, scenario.answer, scenario.effects)
    left = asyncio.run(_work(working, boundaries.point))
    rows = pointed.threads(limit=10_000)
    logs = {row.ref.id: pointed.thread(row.ref.id).to_jsonl() for row in rows}
    left += [f"{row.ref.id} is {row.status}" for row in rows if row.status == "running"]
    ended = {
        "logs": {name: _lines(log) for name, log in logs.items()},
        "effects": dict(scenario.effects()),
        "boundaries": boundaries.passed,
        "left": left,
    }
    (folder / "ended.json").write_text(json.dumps(ended))
    pointed.close()


def _lines(log: str) -> list[Json]:
    return [json.loads(line) for line in log.rstrip("\n").split("\n")]


def _forked(build: Build, folder: Path, kill_at: int) -> NoReturn:
    """The child: leaves by `os._exit`, so that nothing of the server runs in it."""
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    signal.alarm(RUN_TIMEOUT_S)
    code = 1
    try:
        _child(build, folder, kill_at)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve(build: Build, ask: Callable[[], str]) -> None:
    """Fork one child per line, and answer with its exit code (minus the signal that ended it)."""
    while line := ask():
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _forked(build, Path(order["folder"]), order["kill_at"])
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


def main(name: str) -> None:
    module, _, function = name.partition(":")
    serve(getattr(importlib.import_module(module), function), sys.stdin.readline)


if __name__ == "__main__":
    main(sys.argv[1])
