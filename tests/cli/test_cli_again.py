"""The command that is named next means the same application and log, without being changed."""

import shlex
from pathlib import Path

import pytest
from commands import Cli

from twelvefold.cli.again import again
from twelvefold.cli.here import Here


def named(text: str, word: str) -> list[str]:
    """The arguments of the command that is printed after `word`, as a shell reads them."""
    _, _, command = text.partition(f"{word}twelvefold ")
    return shlex.split(command.partition("   (exit")[0].partition("\n")[0])


def test_a_log_that_was_named_is_named_again(cli: Cli):
    ran = cli("run", "bot", "deploy v1", "--id", "one", "--store", "my log.db")

    command = named(ran.out, "approve it: ")
    assert command == ["approve", "one", "--store", "my log.db"]
    assert cli(*command, "--as", "anna").code == 0


def test_so_is_an_application(cli: Cli, folder: Path):
    (folder / "app.py").rename(folder / "other.py")
    ran = cli("run", "bot", "deploy v1", "--id", "one", "--app", "other.py:app")

    command = named(ran.out, "approve it: ")
    assert command == ["approve", "one", "--app", "other.py:app"]
    assert cli(*command, "--as", "anna").code == 0


def test_what_nobody_typed_is_not(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWELVEFOLD_STORE", "other.db")
    ran = cli("run", "bot", "deploy v1", "--id", "one")

    assert named(ran.out, "approve it: ") == ["approve", "one"]


def test_after_an_error_too(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one", "--store", "x.db")

    ran = cli("threads", "show", "nosuch", "--store", "x.db")
    assert named(ran.err, "next:  ") == ["threads", "list", "--store", "x.db"]


@pytest.mark.parametrize(
    "command",
    [
        "run bot sleep",
        "run bot wait",
        "run bot ask",
        "run bot spoil",
        "run bot hello --detach",
        "threads fork one",
        "threads list --limit 1",
        "threads show one",
        "threads erase done --reason over --yes --no-scrub",
        "inbox",
        "run bot hang --timeout 0.1",
        "doctor",
        "",
    ],
)
def test_no_command_that_follows_leaves_it_out(cli: Cli, command: str):
    cli("run", "bot", "deploy v1", "--id", "one", "--store", "x.db")
    cli("run", "bot", "done", "--id", "done", "--store", "x.db")
    cli("run", "bot", "spoil", "--store", "x.db")

    ran = cli(*command.split(), "--store", "x.db")

    said = [line for line in (ran.out + ran.err).splitlines() if " twelvefold " in line]
    assert all("--store x.db" in line for line in said)
    assert said


def test_the_next_page_keeps_the_filters(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")
    cli("run", "bot", "deploy v1", "--id", "two")

    ran = cli("threads", "list", "--limit", "1", "--status", "waiting", "--agent", "bot")
    command = named(ran.err, "more: ")
    assert "two" in ran.out
    assert "one" in cli(*command).out
    assert command[-6:] == ["--status", "waiting", "--agent", "bot", "--limit", "1"]


def test_who_asked_for_what_is_his_decides_it_by_the_same_name(cli: Cli):
    cli("run", "bot", "deploy v1", "--id", "one")

    command = named(cli("inbox", "--mine", "--as", "anna").out, "approve it: ")
    assert command == ["approve", "one.s1.1", "--as", "anna"]
    assert cli(*command).code == 0


def test_a_password_is_not_repeated():
    here = Here()
    here.store_name = "postgresql://me:s3cret@host/log"

    assert here.again("twelvefold db migrate") == (
        "twelvefold db migrate --store 'postgresql://me:***@host/log'"
    )


@pytest.mark.parametrize(
    "words",
    ["twelvefold new bot   or look around: twelvefold demo", "mend that", "the same command"],
)
def test_what_needs_no_log_stays_as_it_is(words: str):
    assert again(words, ("--store", "x.db")) == words


def test_options_that_were_not_given_are_left_out():
    given = (("--app", None), ("--store", "a'b"), ("--as", ""))

    assert again("mend that, then twelvefold test", *given) == (
        "mend that, then twelvefold test --store 'a'\"'\"'b'"
    )
