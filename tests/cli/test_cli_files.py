"""Threads as files, the log's file, settings and completion, on the command line."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest
from commands import Cli

from twelvefold.cli import here

LOG = Path(".twelvefold") / "threads.db"


def exported(cli: Cli, name: str, path: str = "one.jsonl") -> str:
    assert cli("threads", "export", name, "--out", path).code == 0
    return path


def waiting(cli: Cli) -> str:
    """A thread that waits for an approval, exported."""
    cli("run", "bot", "deploy v1", "--id", "one")
    return exported(cli, "one")


# Import and export


def test_an_imported_thread_asks_anew_and_goes_on(cli: Cli):
    path = waiting(cli)

    done = cli("--store", "other.db", "threads", "import", path)

    assert done.code == 0
    assert "one holds the 3 events of one.jsonl; what was open there is void" in done.out
    assert cli("--store", "other.db", "inbox", "--json").document["data"] == []
    assert cli("--store", "other.db", "approve", "one.s1.1", "--as", "anna").code == 4
    asked = cli("--store", "other.db", "resume", "one")
    assert "one.s1.2" in asked.out
    assert cli("--store", "other.db", "approve", "one", "--as", "anna", "--yes").code == 0


def test_an_approval_does_not_travel_in_a_file(cli: Cli):
    waiting(cli)
    cli("approve", "one", "--as", "anna", "--yes", "--detach")
    path = exported(cli, "one")

    cli("--store", "other.db", "threads", "import", path)

    again = cli("--store", "other.db", "resume", "one")
    assert again.code == 10
    assert "waits for approval" in again.out or "waits for anna" in again.out


def test_an_id_that_is_taken_is_a_conflict(cli: Cli):
    path = waiting(cli)

    assert cli("threads", "import", path).code == 4
    document = cli("threads", "import", path, "--id", "two", "--json").document
    assert document == {
        "schema": "twelvefold.import/1",
        "thread": "two",
        "from": "one",
        "events": 4,
    }


def test_a_broken_file_is_named_by_its_line_and_changes_nothing(cli: Cli, folder: Path):
    path = waiting(cli)
    lines = (folder / path).read_text().splitlines()
    (folder / path).write_text("\n".join([lines[0], lines[2]]))

    ran = cli("threads", "import", path, "--id", "two")

    assert (ran.code, ran.out) == (2, "")
    assert "line 2 holds event 3: lines are missing or out of order" in ran.err
    assert cli("threads", "show", "two").code == 3
    assert cli("threads", "import", "nowhere.jsonl").code == 2


def test_a_log_is_read_from_stdin(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch):
    path = waiting(cli)
    monkeypatch.setattr(sys, "stdin", StringIO((folder / path).read_text()))

    assert cli("threads", "import", "-", "--id", "two").code == 0


def test_a_thread_of_an_unknown_agent_is_imported_and_said(cli: Cli, folder: Path):
    path = waiting(cli)
    text = (folder / path).read_text().replace('"agent":"bot"', '"agent":"ghost"')
    (folder / path).write_text(text)

    ran = cli("threads", "import", path, "--id", "two")

    assert ran.code == 0
    assert "no agent 'ghost'" in ran.err


def test_an_export_as_markdown_is_for_people(cli: Cli, folder: Path):
    waiting(cli)

    ran = cli("threads", "export", "one", "--format", "md")

    assert ran.out.startswith("# Thread `one`\n")
    assert "## 3. Approval `s1.1` asked of `anna` or `ben`" in ran.out
    done = cli("threads", "export", "one", "--format", "md", "--out", "one.md", "--json").document
    assert done["format"] == "md"
    assert (folder / "one.md").read_text() == ran.out


# Diff


def test_a_thread_equals_its_own_export(cli: Cli):
    path = waiting(cli)

    ran = cli("threads", "diff", "one", path)

    assert (ran.code, ran.out) == (0, "")
    assert "one and one: the same" in ran.err


def test_a_diff_shows_what_differs_and_exits_1(cli: Cli):
    waiting(cli)
    cli("run", "bot", "deploy v2", "--id", "two")

    ran = cli("threads", "diff", "one", "two")

    assert ran.code == 1
    assert '-   1  message_received  "deploy v1"' in ran.out
    assert '+   1  message_received  "deploy v2"' in ran.out
    document = cli("threads", "diff", "one", "two", "--json").document
    assert (document["a"], document["b"], document["same"]) == ("one", "two", False)
    assert document["data"][0] == {"a": 1, "b": 1, "same": False}


def test_what_is_the_same_before_a_difference_is_counted(cli: Cli):
    waiting(cli)
    cli("threads", "fork", "one", "--id", "two")
    cli("deny", "one", "--as", "anna", "--comment", "no", "--detach")

    ran = cli("threads", "diff", "one", "two")

    assert ran.code == 1
    assert ran.out.splitlines()[0] == "  3 the same"
    assert all(line.startswith("- ") for line in ran.out.splitlines()[1:])


# Fork with edits


def rewritten(folder: Path, path: str, change: Callable[[list[Any]], object]) -> str:
    events = [json.loads(line) for line in (folder / path).read_text().splitlines()]
    change(events)
    (folder / path).write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_a_fork_goes_on_from_a_changed_message(cli: Cli, folder: Path):
    path = waiting(cli)
    rewritten(folder, path, lambda events: events[0]["data"].update(text="deploy v9"))

    ran = cli("threads", "fork", "one", "--at", "1", "--id", "two", "--edit", path, "--json")

    assert ran.document["edited"] == [1]
    cli("resume", "two")
    [_, contact] = cli("inbox", "--json").document["data"]
    assert contact["args"]["tag"] == "v9"
    assert cli("threads", "show", "one").out.count("deploy v1") == 1


def test_a_fork_refuses_a_forged_result_of_a_gated_call(cli: Cli, folder: Path):
    waiting(cli)
    cli("approve", "one", "--as", "anna", "--yes")
    path = exported(cli, "one")
    returned = [
        event["seq"]
        for event in map(json.loads, (folder / path).read_text().splitlines())
        if event["type"] == "tool_returned"
    ]
    rewritten(folder, path, lambda events: events[returned[0] - 1]["data"].update(result="forged"))

    ran = cli("threads", "fork", "one", "--id", "two", "--edit", path)

    assert ran.code == 2
    assert "a call that needed an approval" in ran.err
    assert cli("threads", "show", "two").code == 3


def test_a_fork_refuses_another_choice(cli: Cli, folder: Path):
    path = waiting(cli)
    rewritten(folder, path, lambda events: events[1]["data"]["args"].update(tag="v9"))

    ran = cli("threads", "fork", "one", "--edit", path)

    assert ran.code == 2
    assert "event 2 (next_step_chosen)" in ran.err


def test_a_file_without_changes_forks_nothing(cli: Cli):
    path = waiting(cli)

    assert cli("threads", "fork", "one", "--edit", path).code == 4
    assert len(cli("threads", "list", "--json").document["data"]) == 1


def test_an_editor_needs_a_terminal(cli: Cli):
    waiting(cli)

    ran = cli("threads", "fork", "one", "--edit")

    assert ran.code == 2
    assert "only a terminal opens $EDITOR" in ran.err


def test_the_editor_shows_what_may_change(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    waiting(cli)
    shown: list[str] = []

    def save(text: str, **_: Any) -> str:
        shown.append(text)
        return text.replace("deploy v1", "deploy v9")

    monkeypatch.setattr(here.Here, "terminal", property(lambda _: object()))
    monkeypatch.setattr(click, "edit", save)

    assert cli("threads", "fork", "one", "--at", "2", "--id", "two", "--edit").code == 0
    assert "next_step_chosen" not in shown[0]
    assert shown[0].startswith("# What a fork may change")
    assert '"deploy v9"' in cli("threads", "show", "two").out

    monkeypatch.setattr(click, "edit", lambda *_, **__: None)
    assert cli("threads", "fork", "one", "--edit").code == 4


# The database


def test_the_status_of_a_file_is_read_without_making_one(cli: Cli, folder: Path):
    ran = cli("db", "status", "--json")

    assert (ran.code, ran.document["exists"]) == (0, False)
    assert "does not exist yet" in cli("db", "status").out
    assert not (folder / LOG).exists()


def test_the_status_counts_what_the_file_holds(cli: Cli):
    waiting(cli)

    document = cli("db", "status", "--json").document

    assert document["pending"] == []
    assert document["version"] == document["known"]
    assert document["rows"] == {
        "threads": 1, "events": 3, "open_contacts": 1, "wakes": 0, "timers": 1,
    }  # fmt: skip
    assert "pending" in cli("db", "status").out


def test_a_file_of_a_newer_version_is_told_and_left_alone(cli: Cli, folder: Path):
    waiting(cli)
    with sqlite3.connect(folder / LOG) as db:
        db.execute("insert into twelvefold_migrations values (9999, 'future', '')")

    ran = cli("db", "status")

    assert ran.code == 6
    assert "written by a newer twelvefold" in ran.out
    assert cli("db", "migrate").code == 6


def test_what_is_no_database_is_an_error(cli: Cli, folder: Path):
    (folder / "x.db").write_text(
        "This is not a database, and it is long enough to be sure of it." * 9
    )

    assert cli("--store", "x.db", "db", "status").code == 6
    assert cli("--store", "mysql://x/y", "db", "status").code == 6


def test_pending_migrations_are_printed_or_run(cli: Cli, folder: Path):
    sqlite3.connect(folder / "empty.db").execute("create table theirs (x)").connection.close()

    told = cli("--store", "empty.db", "db", "migrate", "--sql")

    assert told.out.startswith("-- 0001_threads.sql\n")
    assert "create table twelvefold_threads" in told.out
    status = cli("--store", "empty.db", "db", "status", "--json").document
    assert (status["version"], status["pending"][0]) == (0, "0001_threads.sql")
    done = cli("--store", "empty.db", "db", "migrate", "--json").document
    assert done["applied"] == status["pending"]
    assert cli("--store", "empty.db", "db", "migrate").out == "nothing was pending\n"


def test_a_file_that_is_not_there_is_not_migrated(cli: Cli, folder: Path):
    assert "does not exist yet" in cli("db", "migrate").out
    assert cli("db", "migrate", "--json").document["applied"] == []
    assert cli("db", "rebuild").code == 6
    assert not (folder / LOG).exists()


def test_a_rebuild_says_whose_lists_were_wrong(cli: Cli, folder: Path):
    waiting(cli)
    assert cli("db", "rebuild").out == "1 threads; every list was right\n"
    with sqlite3.connect(folder / LOG) as db:
        db.execute("update twelvefold_contacts set outcome = 'approved'")

    assert cli("inbox", "--json").document["data"] == []
    assert "1 of 1 threads differed" in cli("db", "rebuild").out
    assert len(cli("inbox", "--json").document["data"]) == 1
    assert cli("db", "rebuild", "--json").document["differed"] == []


# Events of a newer version


def test_what_a_newer_version_wrote_is_shown_and_parks_the_thread(cli: Cli, folder: Path):
    waiting(cli)
    with sqlite3.connect(folder / LOG) as db:
        db.execute('update twelvefold_events set v = 2, data = \'{"whom": "anna"}\' where seq = 3')

    assert 'version 2: {"whom":"anna"}' in cli("threads", "show", "one").out
    ran = cli("send", "one", "message", "and?")
    assert ran.code == 1
    assert "has version 2, and this twelvefold reads version 1. Upgrade" in ran.out
    again = cli("threads", "export", "one", "--format", "md")
    assert "whom: anna" in again.out
    assert cli("threads", "import", exported(cli, "one"), "--id", "two").code == 2


# Settings


def settings(cli: Cli, *args: str) -> dict[str, tuple[str, str]]:
    document = cli(*args, "config", "show", "--json").document
    return {row["name"]: (row["value"], row["from"]) for row in document["data"]}


def test_settings_say_who_named_them(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch):
    found = settings(cli)
    assert found["app"] == (f"{folder}/app.py:app", "default")
    assert found["store"] == (str(folder / LOG), "default")

    (folder / "pyproject.toml").write_text(
        '[tool.twelvefold]\nstore = "a.db"\napp = "app.py:app"\n'
    )
    found = settings(cli)
    assert found["app"][1] == "pyproject.toml"
    assert found["store"] == (str(folder / "a.db"), "pyproject.toml")

    monkeypatch.setenv("TWELVEFOLD_STORE", "b.db")
    assert settings(cli)["store"] == ("b.db", "TWELVEFOLD_STORE")
    assert settings(cli, "--store", "c.db")["store"] == ("c.db", "--store")
    assert "TWELVEFOLD_STORE" in cli("config", "show").out
    assert not (folder / "b.db").exists()


def test_a_store_that_the_application_names_is_its_own(cli: Cli, folder: Path):
    text = (folder / "app.py").read_text()
    (folder / "app.py").write_text(text.replace("App([AGENT],", 'App([AGENT], store="mine.db",'))

    assert settings(cli)["store"] == ("mine.db", "App(store=...)")
    assert cli("db", "status", "--json").document["path"] == "mine.db"
    (folder / "app.py").write_text("store = 1 / 0\n")
    value, origin = settings(cli)["store"]
    assert value is None
    assert "ZeroDivisionError" in origin


def test_a_store_in_memory_is_no_file(cli: Cli, folder: Path):
    text = (folder / "app.py").read_text() + (
        "from twelvefold.testing import MemoryStore\napp = App([AGENT], store=MemoryStore())\n"
    )
    (folder / "app.py").write_text(text)

    assert settings(cli)["store"] == ("MemoryStore", "App(store=...)")
    assert cli("db", "status").code == 6


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(cli: Cli, shell: str):
    assert "_TWELVEFOLD_COMPLETE" in cli("completion", shell).out
    assert cli("completion", shell, "--json").document["shell"] == shell


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("twelvefold thr", ["threads"]),
        ("twelvefold threads im", ["import"]),
        ("twelvefold threads fork --e", ["--edit"]),
        ("twelvefold threads --js", ["--json"]),
        ("twelvefold nonsense x", []),
    ],
)
def test_a_shell_is_told_what_fits(words: str, found: list[str], folder: Path):
    asked = {"_TWELVEFOLD_COMPLETE": "bash_complete", "COMP_WORDS": words}
    asked["COMP_CWORD"] = str(len(words.split()) - 1)
    code = "from twelvefold.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asked, capture_output=True, text=True
    )

    assert done.returncode == 0
    assert [line.partition(",")[2] for line in done.stdout.split("\n") if line] == found
