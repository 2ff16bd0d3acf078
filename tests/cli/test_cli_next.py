"""The last line of an error: a command that helps with this one, or none."""

from pathlib import Path

import pytest
from commands import Cli, Ran


def following(ran: Ran) -> str:
    """What is said to be next; empty for nothing."""
    assert ran.code not in (0, 10), ran
    _, error, said = ran.err.partition("error: ")  # what would be approved is said before
    assert error
    rest = said.splitlines()[1:]
    return rest[0].removeprefix("next:  ") if rest else ""


@pytest.fixture
def waiting(cli: Cli) -> Cli:
    """With a thread that waits for anna."""
    cli("run", "bot", "deploy v1", "--id", "one")
    return cli


@pytest.mark.parametrize(
    ("command", "next"),
    [
        ("approve one", "the same command with --as NAME, where you have another name here"),
        ("reassign one --to ben", "the same command with --as NAME, where you have another"),
        ("approve one --as zoe", ""),  # who is asked is said already
        ("deny one --as anna", "the same command with --comment TEXT"),
        ("answer one yes --as anna", "twelvefold inbox"),
        ("approve nosuch", "twelvefold threads list"),
        ("threads diff one nosuch", "twelvefold threads list"),
        ("approve one.s9.1", "twelvefold threads show one"),
        ("retry one", "twelvefold threads show one"),
        ("threads fork one --at 99", "twelvefold threads show one"),
        ("keys revoke nosuch", "twelvefold keys list"),
        ("run robot hello", ""),
        ("run bot hello --app app.py:nosuch", ""),
        ("threads import app.py", ""),
        ("threads import nosuch.jsonl", ""),
        ("test", ""),
        ("db backup app.py", ""),
        ("db status --store mysql://x", ""),
        ("serve --host 0.0.0.0", ""),
        ("eject loop", ""),
        ("send one letter hi", "twelvefold send --help"),
    ],
)
def test_it_leads_to_something_that_helps(waiting: Cli, command: str, next: str):
    said = following(waiting(*command.split()))

    assert said.startswith(next)
    assert bool(said) == bool(next)


def test_before_the_first_thread_there_is_none_to_list(cli: Cli):
    assert following(cli("threads", "show", "@last")) == "twelvefold run AGENT INPUT"


def test_a_fault_of_ours_leads_to_its_traceback(cli: Cli, folder: Path):
    app = folder / "app.py"
    app.write_text(app.read_text() + "\napp.agents = None\n")

    assert following(cli("run", "bot", "x")) == "the same command with --debug, for the traceback"


def test_a_file_that_is_not_there_is_said_without_the_number_of_its_error(cli: Cli):
    ran = cli("threads", "import", "nosuch.jsonl")

    assert "nosuch.jsonl cannot be read: No such file or directory." in ran.err
    assert "Errno" not in ran.err


def test_choices_are_one_line(cli: Cli):
    ran = cli("keys", "create", "me")

    assert "Choose from: admin, contacts:answer, contacts:read" in ran.err
    assert "\\n" not in ran.err


def test_a_failed_thread_is_mended_before_it_is_tried_again(cli: Cli):
    ran = cli("run", "bot", "spoil", "--id", "one")

    assert ran.code == 1
    assert "next:   mend that, then twelvefold retry one   (exit 1)" in ran.out


def test_scrubbing_says_why_nothing_was_done(cli: Cli):
    ran = cli("db", "scrub")

    assert ran.code == 4
    assert "does not exist: there is nothing to scrub" in ran.out
