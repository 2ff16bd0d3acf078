"""Before there is a log: what only reads begins none, and says where it looked."""

import json
import os
from pathlib import Path

import pytest
from commands import Cli

LISTING = [
    "stats",
    "inbox",
    "inbox --mine --as anna",
    "threads list",
    "threads verify --all",
    "threads heads",
    "audit-log",
    "audit-log --csv",
    "keys list",
    "cancel --all --agent bot",
    "retry --all",
    "resume --all",
    "threads erase --finished-before 1d --reason over --yes",
]
NAMING = [
    "threads show x",
    "threads diff x y",
    "threads verify x",
    "threads export x",
    "threads replay x",
    "threads erase x --reason over --yes",
    "context show @last",
    "resume x",
    "approve x",
    "keys rotate x",
    "keys revoke x",
]
OTHERS = ["", "doctor", "config show", "db status", "db migrate", "db scrub", "version", "test"]


@pytest.fixture(params=["nobody", "the option", "the application"])
def named(request: pytest.FixtureRequest, folder: Path) -> list[str]:
    """Who says where the log is, as options."""
    if request.param == "the application":
        app = folder / "app.py"
        app.write_text(app.read_text().replace("App([AGENT],", 'App([AGENT], store="own.db",'))
    return ["--store", "own.db"] if request.param == "the option" else []


@pytest.mark.parametrize("line", LISTING + NAMING + OTHERS)
def test_what_reads_begins_no_log(cli: Cli, folder: Path, named: list[str], line: str):
    ran = cli(*line.split(), *named)

    assert "Traceback" not in ran.err
    assert os.listdir(folder) == ["app.py"]


@pytest.mark.parametrize("line", LISTING)
def test_it_says_where_it_looked_and_what_begins_one(
    cli: Cli, folder: Path, named: list[str], line: str
):
    ran = cli(*line.split(), *named)

    assert ran.code == 0
    own = bool(named) or "own.db" in (folder / "app.py").read_text()
    where = "own.db" if own else str(folder / ".twelvefold" / "threads.db")
    assert f"there is no log yet: {where} does not exist" in ran.err
    assert "twelvefold run AGENT INPUT" in ran.err


@pytest.mark.parametrize("line", NAMING)
def test_what_is_named_is_not_found(cli: Cli, named: list[str], line: str):
    ran = cli(*line.split(), *named)

    assert ran.code == 3
    assert ran.out == ""
    assert "does not exist" in ran.err
    assert "next:  twelvefold " in ran.err


def test_programs_read_the_same_document_as_of_an_empty_log(cli: Cli, folder: Path):
    before = cli("stats", "--json")
    assert os.listdir(folder) == ["app.py"]
    cli("keys", "create", "me", "--scope", "all")  # begins a log

    assert before.err == ""
    assert before.document == cli("stats", "--json").document


def test_threads_that_were_there_are_missed(cli: Cli, folder: Path):
    cli("run", "bot", "x", "--id", "one", "--store", "a.db")
    cli("threads", "heads", "--export", "kept", "--store", "a.db")

    ran = cli("threads", "verify", "--all", "--head", "kept", "--json", "--store", "b.db")
    assert ran.code == 1
    assert [one["why"] for one in ran.document["data"]] == ["the thread is gone: it had 3 events"]
    assert not (folder / "b.db").exists()


def test_once_it_is_begun_nothing_is_said_of_it(cli: Cli):
    cli("run", "bot", "x")

    for line in LISTING:
        assert "no log" not in cli(*line.split()).err
    assert json.loads((cli("stats", "--json")).out)["data"]["queue"] == 0
