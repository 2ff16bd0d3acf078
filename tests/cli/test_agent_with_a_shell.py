"""An agent whose tool runs shell commands: what the identity rule stops, and what it does not."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import Cli

MAIN = "from twelvefold.cli import main; main()"
PATIENCE_S = 60.0

FAMILY = "import subprocess, sys; sys.exit(subprocess.call({command!r}))"
"""Through another interpreter, as a script would."""

ESCAPED = """
import os, subprocess
if os.fork() == 0:
    os.setsid()
    middle = os.getpid()
    if os.fork() == 0:
        while os.getppid() == middle:
            pass
        done = subprocess.run({command!r}, capture_output=True, text=True)
        open({told!r}, "w").write(f"{{done.returncode}} {{done.stderr}}")
    os._exit(0)
"""
"""What `setsid` with a double fork does: the command's parents are no longer ours."""


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", MAIN, *words]


APPROVE = command("approve", "risky", "--as", "anna", "--yes", "--detach")


@pytest.fixture
def risky(cli: Cli) -> str:
    """A thread that waits for an approval of high risk."""
    assert cli("run", "bot", "deploy v1", "--id", "risky").code == 10
    return "risky"


def is_open(cli: Cli) -> bool:
    return [row["thread"] for row in cli("inbox", "--json").document["data"]] == ["risky"]


@contextmanager
def advancing(folder: Path) -> Iterator[None]:
    """This process advances the log, so what is started within is started by an advance."""
    from twelvefold.stores import open_store

    store = open_store(str(folder / ".twelvefold" / "threads.db"))
    try:
        with store.runner_lock() as held:
            assert held
            yield
    finally:
        store.close()


def ran(*run: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(run, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ("approve", "risky", "--as", "anna", "--yes"),
        ("deny", "risky", "--as", "anna", "--comment", "no"),
        ("edit", "risky", "--as", "anna", "--set", "tag=v9"),
        ("threads", "erase", "risky", "--reason", "x", "--yes"),
    ],
    ids=lambda words: words[0],
)
def test_a_tool_may_not_decide_or_erase(cli: Cli, folder: Path, risky: str, words: Any):
    with advancing(folder):
        done = ran(*command(*words))

    assert done.returncode == 5, done
    assert "only people answer" in done.stderr
    assert is_open(cli)


def test_neither_may_what_it_starts(cli: Cli, folder: Path, risky: str):
    with advancing(folder):
        done = ran(sys.executable, "-c", FAMILY.format(command=APPROVE))

    assert done.returncode == 5
    assert is_open(cli)


def escaped(folder: Path) -> str:
    """Approve from a process that has left the family of the advance; what that said."""
    told = folder / "told"
    with advancing(folder):
        ran(sys.executable, "-c", ESCAPED.format(command=APPROVE, told=str(told)))
        deadline = time.monotonic() + PATIENCE_S
        while not (told.exists() and told.read_text()):
            assert time.monotonic() < deadline, "the escaped command never ended"
            time.sleep(0.02)
    return told.read_text()


def test_what_left_the_family_is_not_stopped_as_the_threat_model_says(
    cli: Cli, folder: Path, risky: str
):
    """The fence is no wall: docs/threat-model.md says so, and what to do."""
    assert escaped(folder).startswith("0 ")
    assert not is_open(cli)


def test_it_is_stopped_where_the_command_line_settles_no_high_risk(
    cli: Cli, folder: Path, risky: str
):
    app = folder / "app.py"
    strict = 'app = App([AGENT], settles={"local": "low"},'
    app.write_text(app.read_text().replace("app = App([AGENT],", strict))

    assert "may not settle high risk" in escaped(folder)
    assert is_open(cli)
