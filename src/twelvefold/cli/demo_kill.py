"""The demo in processes that are killed: SIGKILL at each wait for a person, and before and after
the effect of each approved deploy.

Each process does what it can, with nothing in its memory but the log, until it is killed. The kill
points are in a wrapper around the cluster that the application is given here.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click

from twelvefold.agent import Agent
from twelvefold.app import App
from twelvefold.cli import exits
from twelvefold.cli.decision import Given
from twelvefold.cli.demo import AGENT, Run
from twelvefold.cli.demo_files import APP, STORE
from twelvefold.cli.family import root_of
from twelvefold.cli.finding import Place, load_app
from twelvefold.exceptions import TwelvefoldError
from twelvefold.summary import short
from twelvefold.thread import DEFAULT_TENANT

APPROVED_INTENTS = frozenset({"deploy_frontend_to_prod", "deploy_backend_to_prod", "restore"})
BEFORE, AFTER, WAIT = "before", "after", "wait"


class Killed:
    """The run in processes of its own, each of which is killed, but for the last one."""

    def __init__(self, run: Run) -> None:
        self.run, self.kills = run, 0

    def go_on(self, given: Given | None) -> None:
        runs = given is not None and given.decision in {"approve", "edit"}
        for kill_at in (BEFORE, AFTER, WAIT) if runs else (WAIT,):
            if not self._kill_one(kill_at):
                return

    def _kill_one(self, kill_at: str) -> bool:
        """Run one process; whether it was killed."""
        command = [sys.executable, "-m", __name__, self.run.thread_id, kill_at]
        child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if child.returncode not in (0, -signal.SIGKILL):
            raise click.exceptions.Exit(child.returncode)  # it has said why
        self.run.show_news()
        if child.returncode == 0:
            return False
        self.kills += 1
        self.run.line(f"  x {child.stdout.strip()}: SIGKILL, and a new process goes on")
        return True

    def report(self) -> int:
        """What the world outside says. The exit code is 1 when an effect took place twice."""
        release: Any = self.run.app.agent(AGENT)
        cluster = release.deps(DEFAULT_TENANT)
        rows = cluster.ledger(f"{DEFAULT_TENANT}/{self.run.thread_id}")
        self.run.line()
        self.run.line(
            f"killed {_times(self.kills)}; the ledger of the world outside says", bold=True
        )
        for what, tag, calls, effects in rows:
            counts = f"called {_times(calls):<8} took effect {_times(effects)}"
            self.run.line(f"  {what:<24} {tag:<12} {counts}")
        return exits.DONE if all(effects <= 1 for *_, effects in rows) else exits.FAILED


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


# What follows runs in the processes that are killed.


def main(thread_id: str, kill_at: str) -> int:
    loaded = load_app(Place(Path.cwd(), f"{APP}:app", "demo", str(STORE), "demo"))
    agents = [_with_deps(agent, kill_at) for agent in loaded.agents.values()]
    app = App(agents, store=str(STORE), models=loaded.models, settles=loaded.settles.levels)
    try:
        asyncio.run(app.run(until_idle=True, only=thread_id))
        for row in app.inbox():
            if root_of(row.ref.id) == thread_id:
                _die(f"while {short(row.ref.id)}.{row.id} waits for a person")
    except TwelvefoldError as error:
        sys.stderr.write(f"{exits.text_of(error)}\n")
        return exits.code_of(error)
    return exits.DONE


def _with_deps(agent: Agent[Any, Any], kill_at: str) -> Agent[Any, Any]:
    given: Callable[[str], Any] | None = agent.deps
    if given is None:
        return agent

    def deps(tenant: str) -> "KillingCluster":
        return KillingCluster(given(tenant), kill_at)

    return replace(agent, deps=deps)


class KillingCluster:
    """The cluster, but around the effect of an approved deploy the process dies."""

    def __init__(self, cluster: Any, kill_at: str) -> None:
        self._cluster, self._kill_at = cluster, kill_at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def deploy(self, what: str, tag: str, *, key: str) -> str:
        kill_at = self._kill_at if what in APPROVED_INTENTS else ""
        if kill_at == BEFORE:
            _die(f"before {what} took effect")
        result = self._cluster.deploy(what, tag, key=key)
        if kill_at == AFTER:
            _die(f"after {what} took effect")
        return result


def _die(where: str) -> NoReturn:
    sys.stdout.write(where)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL was survived")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
