"""Every failure: its exit code, nothing on stdout, what happened, and a next command that helps."""

import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Cli, Ran

NEXT = re.compile(r"(next:  (twelvefold |the same command).+\n)?")
MAIN = "from twelvefold.cli import main; main()"


def refused(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert NEXT.fullmatch(ran.err.partition("\n")[2])
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err


def log_of(folder: Path) -> Path:
    return folder / ".twelvefold" / "threads.db"


def events(folder: Path) -> int:
    db = sqlite3.connect(log_of(folder))
    try:
        return db.execute("select count(*) from twelvefold_events").fetchone()[0]
    finally:
        db.close()


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",),
        ("run",),
        ("run", "bot"),
        ("threads",),
        ("threads", "nonsense"),
        ("threads", "list", "--status", "nonsense"),
        ("send", "x", "letter", "text"),
        ("edit", "@last"),
        ("--nonsense",),
    ],
)
def test_wrong_usage_exits_2_and_names_the_help(cli: Cli, args: tuple[str, ...]):
    cli("run", "bot", "deploy v1")

    refused(cli(*args), 2, "--help")


def test_a_mistyped_command_is_guessed(cli: Cli):
    refused(cli("aprove", "x"), 2, "Did you mean approve?")


def test_data_that_is_not_json_exits_2(cli: Cli):
    cli("run", "bot", "wait")

    refused(cli("send", "@last", "signal", "merged", "--data", "{"), 2, "not JSON")


@pytest.mark.parametrize(
    "command",
    [
        "threads show {}",
        "threads replay {}",
        "threads export {}",
        "threads fork {}",
        "context show {}",
        "approve {}",
        "deny {} --comment no",
        "edit {} --set a=1",
        "answer {} yes",
        "send {} message hi",
        "pause {}",
        "resume {}",
        "cancel {}",
        "retry {}",
    ],
)
@pytest.mark.parametrize("name", ["nosuch", "@last", "nosuch.s1.1"])
def test_an_unknown_name_exits_3(cli: Cli, command: str, name: str):
    refused(cli(*command.format(name).split()), 3, "twelvefold")


def test_a_thread_that_waits_for_nobody_has_nothing_to_approve(cli: Cli):
    cli("run", "bot", "hello")

    refused(cli("approve", "@last"), 3, "waits for no answer")


@pytest.mark.parametrize("verb", ["resume", "retry"])
def test_a_verb_that_would_change_nothing_exits_4(cli: Cli, verb: str):
    cli("run", "bot", "hello")

    refused(cli(verb, "@last"), 4, "Nothing was done")


def test_an_ending_that_fits_two_threads_exits_4(cli: Cli):
    cli("run", "bot", "hello", "--id", "one-x")
    cli("run", "bot", "hello", "--id", "two-x")

    refused(cli("threads", "show", "x"), 4, "one-x", "two-x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("x = 1", "has nothing under 'app'"),
        ("app = 1", "has a int under 'app', not an App"),
        ("def app(:", "SyntaxError"),
        ("x = 1\nraise RuntimeError('boom')", "RuntimeError: boom (app.py, line 2)"),
        ("import sys; sys.exit(3)", "SystemExit"),
    ],
)
def test_a_broken_application_exits_6_and_says_where(cli: Cli, folder: Path, text: str, words: str):
    (folder / "app.py").write_text(text + "\n")

    refused(cli("run", "bot", "hello"), 6, words)


def test_no_application_exits_6(cli: Cli, folder: Path):
    (folder / "app.py").unlink()

    refused(cli("run", "bot", "hello"), 6, "There is no application here", "--app")
    refused(cli("run", "bot", "hello", "--app", "other"), 6, "names no application")
    refused(cli("run", "bot", "hello", "--app", "no.such:app"), 6, "no module 'no.such'")


def test_an_unknown_agent_exits_6_and_names_those_there_are(cli: Cli):
    refused(cli("run", "robot", "hello"), 6, "'robot'", "it has: bot")


def test_an_agent_that_is_gone_loses_nothing(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    app = folder / "app.py"
    text, before = app.read_text(), events(folder)
    app.write_text(text.replace('Agent("bot"', 'Agent("robot"'))

    refused(cli("approve", "one", "--as", "anna", "--yes"), 6, "'bot'")
    assert cli("inbox").code == 0
    assert events(folder) == before

    app.write_text(text)
    assert cli("approve", "one", "--as", "anna").code == 0


def test_a_message_to_a_thread_without_its_agent_is_kept(cli: Cli, folder: Path):
    cli("run", "bot", "hello", "--id", "one")
    app = folder / "app.py"
    text = app.read_text()
    app.write_text(text.replace('Agent("bot"', 'Agent("robot"'))

    ran = cli("send", "one", "message", "still there?")
    assert ran.code == 6
    assert "'bot'" in ran.err

    app.write_text(text)
    assert cli("resume", "one").code == 0
    assert '"still there?' in cli("threads", "show", "one").out


def test_a_corrupt_database_exits_6_and_stays_as_it_is(cli: Cli, folder: Path):
    log_of(folder).parent.mkdir()
    log_of(folder).write_bytes(b"not a database" * 1000)

    for command in ("threads list", "inbox", "run bot hello", "threads show x"):
        refused(cli(*command.split()), 6, "not a readable twelvefold log", "restore")
    assert log_of(folder).read_bytes() == b"not a database" * 1000
    assert cli("doctor").code == 6


def test_a_newer_database_exits_6_and_stays_as_it_is(cli: Cli, folder: Path):
    cli("run", "bot", "hello")
    db = sqlite3.connect(log_of(folder))
    db.execute("insert into twelvefold_migrations values (99, '0099_later.sql', 'later')")
    db.commit()
    db.close()

    refused(cli("threads", "list"), 6, "schema 99", "Upgrade")


def test_a_locked_database_exits_6_and_can_be_tried_again(cli: Cli, folder: Path):
    cli("run", "bot", "hello", "--id", "one")
    db = sqlite3.connect(log_of(folder), isolation_level=None)
    db.execute("begin immediate")
    try:
        refused(cli("send", "one", "message", "hi"), 6, "is locked", "try again")
    finally:
        db.close()

    assert cli("send", "one", "message", "hi").code == 0


def test_a_full_disk_exits_6_and_loses_nothing(cli: Cli, folder: Path):
    """A limit on the size of files stands for a disk without room."""
    cli("run", "bot", "hello", "--id", "one")
    before = events(folder)

    def no_room() -> None:
        size = max(path.stat().st_size for path in log_of(folder).parent.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    code = f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); {MAIN}"
    command = [sys.executable, "-c", code, "send", "one", "message", "x" * 100_000]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=no_room, check=False)

    refused(Ran(done.returncode, done.stdout, done.stderr), 6)
    assert events(folder) == before
    assert cli("send", "one", "message", "there is room again").code == 0


def test_a_path_that_cannot_be_written_exits_6(cli: Cli, folder: Path):
    (folder / "file").write_text("")

    refused(cli("run", "bot", "hello", "--store", "file/x.db"), 6, "cannot be opened")
    refused(cli("run", "bot", "hello", "--store", "."), 6, "it is a folder")
    refused(cli("threads", "list", "--store", "mysql://x"), 6, "names no store")


def test_a_pyproject_that_cannot_be_read_exits_6(cli: Cli, folder: Path):
    (folder / "pyproject.toml").write_text("[tool.twelvefold\n")

    refused(cli("threads", "list"), 6, "pyproject.toml cannot be read")


def test_debug_shows_the_traceback(cli: Cli, folder: Path):
    (folder / "app.py").write_text("raise RuntimeError('boom')\n")

    ran = cli("run", "bot", "hello", "--debug")

    assert ran.code == 6
    assert "Traceback" in ran.err
    assert "RuntimeError: boom" in ran.err


def test_verbose_shows_the_log_and_silence_is_the_default(cli: Cli):
    assert cli("run", "bot", "spoil").err == ""
    assert "decide failed" in cli("run", "bot", "spoil", "--verbose").err


def test_an_error_with_json_leaves_stdout_empty(cli: Cli):
    refused(cli("threads", "show", "nosuch", "--json"), 3)


def test_what_an_error_quotes_is_made_visible(cli: Cli):
    ran = cli("threads", "show", "x\x1b[2J\u202e")

    assert ran.code == 3
    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
    assert "\\u202e" in ran.err


def test_the_application_and_the_log_are_found_from_below(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "shop").mkdir()
    (folder / "app.py").rename(folder / "shop" / "deploys.py")
    (folder / "pyproject.toml").write_text('[tool.twelvefold]\napp = "shop/deploys.py:app"\n')
    (folder / "docs").mkdir()
    monkeypatch.chdir(folder / "docs")

    assert cli("run", "bot", "hello").code == 0
    assert log_of(folder).exists()


def test_options_and_environment_name_the_application_and_the_log(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "app.py").rename(folder / "other.py")
    assert cli("--app", "other.py:app", "--store", "a.db", "run", "bot", "hello").code == 0
    assert cli("run", "bot", "hello", "--app", "other:app", "--store", "sqlite:///b.db").code == 0
    monkeypatch.setenv("TWELVEFOLD_APP", "other.py:app")
    monkeypatch.setenv("TWELVEFOLD_STORE", "c.db")
    assert cli("run", "bot", "hello").code == 0

    for name in "abc":
        listed = cli("threads", "list", "--json", "--store", f"{name}.db")
        assert len(listed.document["data"]) == 1


def test_an_application_may_name_its_own_log(cli: Cli, folder: Path):
    app = folder / "app.py"
    text = app.read_text()
    app.write_text(text.replace("app = App([AGENT],", 'app = App([AGENT], store="own.db",'))

    cli("run", "bot", "hello")

    assert (folder / "own.db").exists()
    assert len(json.loads(cli("threads", "list", "--json").out)["data"]) == 1
    assert not log_of(folder).exists()


def test_a_list_of_nothing_creates_nothing(cli: Cli, folder: Path):
    assert cli("threads", "list").code == 0
    assert cli("inbox", "--json").document["data"] == []
    assert cli("doctor").code == 0

    assert os.listdir(folder) == ["app.py"]
