"""Where there is no application, and where there is not even a log: each command says so, at once,
what to do about it, and makes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Cli, Ran

MAIN = "from twelvefold.cli import main; main()"
PATIENCE_S = 120
STAYING = ["dev", "dev bot hello", "dev --no-reload", "serve", "serve --host 0.0.0.0", "worker"]
STAYING += ["mcp serve", "inbox --watch"]
NEEDING = [
    "run bot hello",
    "send x message hi",
    "pause x",
    "resume x",
    "cancel x",
    "cancel --all --agent bot",
    "retry x",
    "retry --all",
    "resume --all",
    "approve x",
    "approve @last",
    "deny x --comment no",
    "edit x --set a=1",
    "choose x y",
    "reassign x --to ben",
    "escalate x",
    "remind x",
    "answer x yes",
    "context show x",
    "stats",
    "threads fork x",
    "threads replay x",
    "threads erase x --reason over",
    "keys create me --scope all",
]
READING = [
    "inbox",
    "inbox --json",
    "inbox --mine",
    "threads list",
    "threads show x",
    "threads show @last",
    "threads export x",
    "threads diff x y",
    "threads verify --all",
    "threads heads",
    "audit-log",
    "keys list",
    "keys rotate x",
    "keys revoke x",
]


@pytest.fixture
def empty(folder: Path) -> Path:
    (folder / "app.py").unlink()
    return folder


def typed(line: str) -> Ran:
    """In a process of its own: what stays would not come back."""
    command = [sys.executable, "-c", MAIN, *line.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def refused(ran: Ran, *words: str) -> None:
    assert (ran.code, ran.out) == (6, ""), ran
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize("line", STAYING)
def test_what_would_stay_ends_at_once(empty: Path, line: str):
    ran = typed(line)

    refused(ran, "here: ", "twelvefold new bot")
    assert ran.err.count("\n") == 2
    assert ran.err.endswith("next:  twelvefold new bot\n")
    assert os.listdir(empty) == []


@pytest.mark.parametrize("line", NEEDING + READING)
def test_every_command_says_what_is_missing(cli: Cli, empty: Path, line: str):
    ran = cli(*line.split())

    refused(ran, str(empty / "app.py"), "`twelvefold new bot`", "--app", "`twelvefold demo`")
    assert ran.err.endswith("next:  twelvefold new bot\n")
    assert os.listdir(empty) == []


@pytest.mark.parametrize("line", READING)
def test_what_reads_says_that_there_is_no_log_either(cli: Cli, empty: Path, line: str):
    refused(cli(*line.split()), "neither an application nor a log here", "threads.db")


def test_dev_says_the_same_as_run(empty: Path):
    assert typed("dev") == typed("run bot hello")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nosuch.py:app", "nosuch.py, which --app names"),
        ("nosuch:app", "There is no module 'nosuch', which --app names"),
        ("app.py", "names no application"),
    ],
)
@pytest.mark.parametrize("command", ["dev", "serve", "worker", "run bot hello"])
def test_an_application_that_is_named_and_not_there_is_said(
    folder: Path, command: str, name: str, words: str
):
    ran = typed(f"{command} --app {name}")

    refused(ran, words)
    assert "twelvefold new" not in ran.err
    assert os.listdir(folder) == ["app.py"]


@pytest.mark.parametrize("command", ["inbox", "threads list", "threads show x", "keys list"])
def test_a_log_that_is_named_and_not_there_is_said(cli: Cli, empty: Path, command: str):
    refused(cli(*command.split(), "--store", "typo.db"), "no log typo.db, which --store names")
    assert os.listdir(empty) == []


def test_a_log_without_an_application_can_be_read(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    (folder / "app.py").unlink()

    assert "one.s1.1" in cli("inbox").out
    assert cli("threads", "show", "one").code == 0
    refused(cli("approve", "one"), "There is no application here")


def test_bare_twelvefold_begins_with_a_project(cli: Cli, empty: Path):
    said = cli().out

    assert "next     twelvefold new bot   or look around: twelvefold demo" in said
    assert os.listdir(empty) == []


@pytest.mark.parametrize("command", ["threads show @last", "threads show x", "approve @last"])
def test_before_the_first_thread_it_is_said_how_to_start_one(cli: Cli, folder: Path, command: str):
    ran = cli(*command.split())

    assert ran.code == 3
    assert "there is no thread yet" in ran.err
    assert ran.err.endswith("next:  twelvefold run AGENT INPUT\n")
    assert os.listdir(folder) == ["app.py"]
