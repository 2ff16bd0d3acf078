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
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from twelvefold.app import App
from twelvefold.exceptions import Conflict
from twelvefold.messages import Model, ModelReply, ModelRequest
from twelvefold.store import Append, ContactRow, EmbeddedStore, Timer, transactional
from twelvefold.testing.looking import Ledger
from twelvefold.testing.playing import told
from twelvefold.testing.rounds import THREADS_MAX
from twelvefold.testing.rounds import work as work
from twelvefold.testing.scenario import Build, Point, Scenario
from twelvefold.thread import DEFAULT_TENANT, Event, Json

RUN_TIMEOUT_S = 60
NEEDED = "needed"


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
    """A store with a boundary before and after each commit, those of lent connections too."""

    def __init__(self, store: EmbeddedStore, point: Point, ledger: Ledger) -> None:
        self._store, self._point, self._ledger = store, point, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *appends: Append) -> list[list[Event]]:
        what = _kind(appends)
        self._point(f"before commit of {what}")
        self._ledger.before(appends)
        stored = await self._store.commit(*appends)
        self._ledger.after(appends)
        self._point(f"after commit of {what}")
        return stored

    def commit_now(self, *appends: Append, tx: object = None) -> list[list[Event]]:
        stored = self._store.commit_now(*appends, tx=tx)
        self._ledger.after(appends)
        return stored

    @contextmanager
    def transaction(self) -> Generator[Any]:
        with transactional(self._store).transaction() as connection:
            yield connection
            self._point("before a transaction commits")
        self._point("after a transaction committed")

    def keep(self, content: bytes, *, tenant: str = DEFAULT_TENANT) -> str:
        self._point("before keeping an attachment")
        sha256 = self._store.keep(content, tenant=tenant)
        self._point("after keeping an attachment")
        return sha256

    def arm(self, timer: Timer, *, tenant: str = DEFAULT_TENANT) -> None:
        self._point("before arming")
        self._store.arm(timer, tenant=tenant)
        self._point("after arming")


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


def _work_through(build: Build, folder: Path, kill_at: int, results: Mapping[str, Json]) -> None:
    boundaries = _Boundaries(folder, kill_at)
    scenario = build(folder, boundaries.point)
    app = scenario.app
    models = {name: _pointed_model(model, boundaries.point) for name, model in app.models.items()}
    ledger = Ledger(folder, scenario.effects, results)
    store: Any = _PointedStore(app.store, boundaries.point, ledger)
    pointed = copy(app)
    pointed.use_store(store)
    pointed.models = models
    working = Scenario(pointed, scenario.launch, scenario.answer, scenario.effects)
    left = asyncio.run(work(working, boundaries.point, look=ledger.outcome))
    rows = pointed.threads(limit=THREADS_MAX)
    logs = {row.ref.id: pointed.thread(row.ref.id).to_jsonl() for row in rows}
    left += [f"{row.ref.id} is {row.status}" for row in rows if row.status == "running"]
    ended = {
        "logs": {name: _lines(log) for name, log in logs.items()},
        "effects": dict(scenario.effects()),
        "boundaries": boundaries.passed,
        "left": left,
        "told": {row.ref.id: told(pointed, row.ref.id) for row in rows},
    }
    (folder / "ended.json").write_text(json.dumps(ended))
    (folder / NEEDED).write_text("\n".join(n for n in sys.modules if n.startswith("twelvefold.")))
    pointed.close()


def _lines(log: str) -> list[Json]:
    return [json.loads(line) for line in log.rstrip("\n").split("\n")]


async def _until_asked(scenario: Scenario) -> None:
    await scenario.launch(scenario.app)
    await scenario.app.run(until_idle=True)
    if not scenario.app.inbox():
        raise RuntimeError("nobody was asked: there is nothing to race for")


def _ask(build: Build, folder: Path) -> None:
    scenario = build(folder, _ignore)
    asyncio.run(_until_asked(scenario))
    scenario.app.close()


class _Gate:
    """Opens for all rivals in the same instant, when all have come."""

    def __init__(self) -> None:
        self._hear, self._come = os.pipe()
        self._closed, self._key = os.pipe()

    def wait(self) -> None:
        """In a rival: until the server drops the last copy of the key."""
        os.close(self._key)
        os.write(self._come, b".")
        os.read(self._closed, 1)

    def open(self, rivals: int) -> None:
        """In the server, after the rivals were forked."""
        os.close(self._come)
        come = 0
        while come < rivals and (heard := os.read(self._hear, rivals)):
            come += len(heard)
        for end in (self._key, self._closed, self._hear):
            os.close(end)


def _rival(build: Build, folder: Path, number: int, gate: _Gate) -> None:
    """Answer the first contact when the gate opens, then advance what there is."""
    scenario = build(folder, _ignore)
    contact = scenario.app.inbox()[0]
    reply = dict(scenario.answer(contact) or {})
    if number % 2 and contact.data["kind"] == "approval":
        reply = {"decision": "deny", "by": reply["by"], "comment": "no"}
    gate.wait()
    told = asyncio.run(_answer_and_run(scenario.app, contact, reply))
    said = {"won": told is None, "told": told, "decision": reply["decision"]}
    (folder / f"rival-{number}.json").write_text(json.dumps(said))
    scenario.app.close()


async def _answer_and_run(app: App, contact: ContactRow, reply: dict[str, Any]) -> str | None:
    told = None
    try:
        await app.answer(f"{contact.ref.id}.{contact.id}", **reply)
    except Conflict as error:
        told = str(error)
    await app.run(until_idle=True, wait_for_lock=False)
    return told


def _ignore(_: str) -> None:
    return None


def _forked(task: Callable[[], None], folder: Path, number: int) -> NoReturn:
    """The child: leaves by `os._exit`, so that nothing of the server runs in it."""
    said = os.open(folder / f"said-{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    signal.alarm(RUN_TIMEOUT_S)
    code = 1
    try:
        task()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _fork(tasks: Sequence[Callable[[], None]], folder: Path) -> list[int]:
    """One child per task; their process ids."""
    pids: list[int] = []
    for number, task in enumerate(tasks):
        pid = os.fork()
        if pid == 0:
            _forked(task, folder, number)
        pids.append(pid)
    return pids


def carry_out(build: Build, order: dict[str, Json]) -> list[int]:
    """Fork the children of one order; their exit codes (minus the signal that ended one)."""
    folder = Path(order["folder"])
    match order["do"]:
        case "work":
            given = (order["kill_at"], order.get("results", {}))
            pids = _fork([partial(_work_through, build, folder, *given)], folder)
        case "ask":
            pids = _fork([partial(_ask, build, folder)], folder)
        case _:
            gate = _Gate()
            rivals = range(order["rivals"])
            pids = _fork([partial(_rival, build, folder, n, gate) for n in rivals], folder)
            gate.open(len(rivals))
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def _load_what_was_needed(folder: Path) -> None:
    """Import here what the child imported late, so that the next ones need not: a third of their
    time. Only ours: of other modules nobody knows what their import begins."""
    needed = folder / NEEDED
    for name in needed.read_text().split() if needed.exists() else ():
        importlib.import_module(name)


def main(name: str) -> None:
    """Carry out one order per line of standard input; answer each with a line of exit codes."""
    module, _, function = name.partition(":")
    build: Build = getattr(importlib.import_module(module), function)
    while line := sys.stdin.readline():
        order = json.loads(line)
        codes = carry_out(build, order)
        _load_what_was_needed(Path(order["folder"]))
        sys.stdout.write(json.dumps(codes) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
