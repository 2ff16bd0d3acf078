"""retry, resume and cancel with --all: after an outage, many threads, and the number is typed."""

import os
import pty
import sys
from pathlib import Path

import pytest
from commands import Cli

from twelvefold.cli.bulk import Many, change_all
from twelvefold.cli.here import Here
from twelvefold.exceptions import Conflict

MAIN = "from twelvefold.cli import main; main()"


def statuses(cli: Cli) -> dict[str, str]:
    rows = cli("threads", "list", "--json").document["data"]
    return {row["id"]: row["status"] for row in rows}


def on_terminal(*args: str, typed: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, where this is typed."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ["NO_COLOR"] = "1"
        os.execv(sys.executable, [sys.executable, "-c", MAIN, *args])
    os.write(master, typed.encode())
    seen = b""
    while True:
        try:
            read = os.read(master, 65536)
        except OSError:
            break
        if not read:
            break
        seen += read
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


@pytest.fixture
def outage(cli: Cli) -> Cli:
    """Three threads failed, one waits for a person, one has finished."""
    for name in ("f1", "f2", "f3"):
        assert cli("run", "bot", "spoil", "--id", name).code == 1
    cli("run", "bot", "deploy v1", "--id", "open")
    cli("run", "bot", "hello", "--id", "done")
    return cli


def test_all_that_failed_is_retried_once_the_number_is_named(outage: Cli, monkeypatch):
    assert [row["id"] for row in listed(outage, "--status", "failed")] == ["f3", "f2", "f1"]
    monkeypatch.setenv("DEPLOYS_FIXED", "1")

    ran = outage("retry", "--all", "--agent", "bot", "--count", "3")

    assert (ran.code, ran.out) == (0, "retried  f1\nretried  f2\nretried  f3\n")
    assert outage("resume", "f1").code == 0
    assert statuses(outage)["f1"] == "finished"
    assert "resumed" in outage("threads", "show", "f2").out


def listed(cli: Cli, *args: str) -> list[dict[str, object]]:
    return cli("threads", "list", *args, "--json").document["data"]


@pytest.mark.parametrize("count", ["2", "4", "0"])
def test_another_number_than_there_is_changes_nothing(outage: Cli, count: str):
    before = outage("threads", "export", "f1").out

    ran = outage("retry", "--all", "--count", count)

    assert ran.code == 4
    assert f"There are 3 such threads, and not {count}. Nothing was done." in ran.err
    assert outage("threads", "export", "f1").out == before


def test_without_a_terminal_the_number_has_to_be_said(outage: Cli):
    ran = outage("cancel", "--all", "--status", "waiting")

    assert ran.code == 2
    assert "say so with --count 1" in ran.err
    assert statuses(outage)["open"] == "waiting"


@pytest.mark.parametrize(("typed", "code"), [("3", 0), ("2", 4), ("\x04", 4)])
def test_a_terminal_asks_for_the_number(outage: Cli, typed: str, code: int):
    exited, seen = on_terminal("cancel", "--all", "--status", "failed", typed=f"{typed}\n")

    assert exited == code, seen
    assert "Type 3 to go on" in seen
    assert (statuses(outage)["f2"] == "cancelled") == (code == 0)


def test_a_child_goes_with_the_thread_that_launched_it(cli: Cli):
    cli("run", "bot", "hand deploy v2", "--id", "parent")
    assert sorted(statuses(cli).values()) == ["waiting", "waiting"]

    ran = cli("cancel", "--all", "--agent", "bot", "--count", "2", "--reason", "outage", "--json")

    assert ran.code == 0
    assert ran.document["kept"] == []
    assert ran.document["threads"][0] == "parent"
    assert set(statuses(cli).values()) == {"cancelled"}


def test_a_thread_that_was_paused_meanwhile_is_not_meant(outage: Cli):
    assert outage("pause", "f2").code == 0

    ran = outage("retry", "--all", "--count", "2", "--json")

    assert (ran.code, ran.document["threads"]) == (0, ["f1", "f3"])


def test_all_that_a_limit_stopped_go_on_and_what_a_person_paused_stays(cli: Cli, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("DEPLOYS_CALLS", "1")
        for name in ("l1", "l2", "l3"):
            cli("run", "bot", "command --version", "--id", name)
    cli("run", "bot", "deploy v1", "--id", "open")
    cli("pause", "open")
    cli("pause", "l3")
    assert set(statuses(cli).values()) == {"paused"}

    unsure = cli("resume", "--all")
    ran = cli("resume", "--all", "--agent", "bot", "--count", "2")

    assert (unsure.code, "--count 2" in unsure.err) == (2, True)
    assert (ran.code, ran.out) == (0, "resumed  l1\nresumed  l2\n")
    assert statuses(cli) == {"open": "paused", "l3": "paused", "l2": "running", "l1": "running"}
    assert cli("resume", "l1").code == 0
    assert statuses(cli)["l1"] == "finished"


def test_one_that_somebody_else_was_faster_with_is_named_and_the_rest_goes_on(outage: Cli, capsys):
    async def verb(thread: str) -> None:
        if thread == "f2":
            raise Conflict("f2 has not failed. Nothing was done.")

    here = Here()
    here.app_name = "app.py:app"
    code = change_all(here, Many("failed", None, 3), verb, "retried")

    said = capsys.readouterr()
    assert (code, said.out) == (4, "retried  f1\nretried  f3\n")
    assert said.err == "kept: f2 has not failed. Nothing was done.\n"


def test_nothing_that_ended_for_good_is_meant(outage: Cli):
    assert outage("cancel", "f1").code == 0

    ran = outage("cancel", "--all", "--status", "cancelled", "--count", "1")

    assert (ran.code, ran.out) == (4, "")
    assert "There are 0 such threads, and not 1. Nothing was done." in ran.err
    ran = outage("cancel", "--all", "--status", "cancelled")
    assert (ran.code, ran.err) == (0, "no thread is meant; nothing was done\n")


BULK = ["retry --all", "resume --all", "cancel --all --status waiting"]


@pytest.mark.parametrize("line", BULK)
@pytest.mark.parametrize("begun", [True, False])
def test_an_agent_that_nobody_knows_is_refused_as_run_refuses_it(cli: Cli, line: str, begun: bool):
    if begun:
        cli("run", "bot", "hello")

    ran = cli(*line.split(), "--agent", "bto", "--count", "7")

    assert (ran.code, ran.out) == (6, "")
    assert "error: This application has no agent 'bto'; it has: bot." in ran.err
    assert ("there is no log yet" in ran.err) is not begun


@pytest.mark.parametrize("line", BULK)
def test_where_none_is_meant_another_number_is_a_conflict(cli: Cli, line: str):
    cli("run", "bot", "hello")
    many = [*line.split(), "--agent", "bot"]

    ran = cli(*many, "--count", "7")

    assert (ran.code, ran.out) == (4, "")
    assert "error: There are 0 such threads, and not 7. Nothing was done." in ran.err
    assert [cli(*many, *count).code for count in ((), ("--count", "0"))] == [0, 0]


def test_threads_of_an_agent_that_the_application_lost_can_be_cancelled(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    app = folder / "app.py"
    app.write_text(app.read_text().replace('Agent("bot"', 'Agent("robot"'))

    ran = cli("cancel", "--all", "--agent", "bot", "--count", "1")

    assert (ran.code, ran.out) == (0, "cancelled  one\n")
    again = cli("cancel", "--all", "--agent", "bot")
    assert (again.code, again.err) == (0, "no thread is meant; nothing was done\n")


@pytest.mark.parametrize(
    "args",
    [
        ("cancel",),
        ("cancel", "--all"),
        ("cancel", "f1", "--all", "--agent", "bot"),
        ("cancel", "f1", "--agent", "bot"),
        ("retry",),
        ("cancel", "f1", "--count", "0"),
        ("retry", "f1", "--count", "1"),
        ("resume",),
        ("resume", "f1", "--all"),
    ],
)
def test_what_is_meant_is_said_once(outage: Cli, args: tuple[str, ...]):
    ran = outage(*args)

    assert ran.code == 2
    assert "next:" in ran.err
    assert statuses(outage)["f1"] == "failed"
