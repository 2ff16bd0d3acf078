"""A list that is empty by its filters says so, and how many others there are."""

import pytest
from commands import Cli


@pytest.mark.parametrize(
    ("filters", "which"),
    [
        ("--status failed", " is failed"),
        ("--agent bto", " of the agent bto is there"),
        ("--agent bot --status failed", " of the agent bot is failed"),
        ("--cursor one --status waiting", " beyond the cursor one is waiting"),
    ],
)
def test_a_filter_that_nothing_matches_is_said(cli: Cli, filters: str, which: str):
    cli("run", "bot", "hello", "--id", "one")
    cli("run", "bot", "deploy v1", "--id", "two")

    ran = cli("threads", "list", *filters.split())

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"no thread{which}; 2 others: twelvefold threads list\n"


def test_the_command_for_the_others_reads_the_same_log(cli: Cli):
    cli("run", "bot", "hello", "--store", "own.db")

    ran = cli("threads", "list", "--status", "failed", "--store", "own.db")

    assert ran.err == "no thread is failed; 1 other: twelvefold threads list --store own.db\n"


def test_without_any_thread_a_filter_is_not_to_blame(cli: Cli):
    cli("keys", "create", "me", "--scope", "all")  # begins a log

    for args in ((), ("--status", "failed"), ("--agent", "bto")):
        ran = cli("threads", "list", *args)
        assert ran.err.startswith("no threads in ")
        assert "start one: twelvefold run AGENT INPUT" in ran.err


def test_programs_read_an_empty_list(cli: Cli):
    cli("run", "bot", "hello")

    ran = cli("threads", "list", "--status", "failed", "--json")

    assert (ran.err, ran.document["data"], ran.document["next_cursor"]) == ("", [], None)


def test_an_inbox_of_ones_own_names_what_waits_for_others(cli: Cli):
    assert cli("inbox", "--mine", "--as", "mallory").code == 0
    cli("run", "bot", "deploy v1")

    mine = cli("inbox", "--mine", "--as", "mallory")

    assert (mine.code, mine.out) == (0, "")
    assert mine.err == "nothing waits for mallory; 1 other: twelvefold inbox\n"
    cli("cancel", "@last")
    assert cli("inbox", "--mine", "--as", "mallory").err == "nothing waits for a human\n"


@pytest.mark.parametrize("given", ["--by olga", "--thread two", "--since 2999-01-01"])
def test_an_audit_log_of_somebody_else_names_the_lines_of_others(cli: Cli, given: str):
    cli("run", "bot", "hello", "--id", "two")
    assert cli("audit-log", *given.split()).err == "nobody was asked, and nobody decided\n"
    cli("run", "bot", "deploy v1", "--id", "one")

    ran = cli("audit-log", *given.split())

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "no line is of that; 1 other: twelvefold audit-log\n"


def test_what_is_next_names_the_thread_that_asks_for_it(cli: Cli):
    cli("run", "bot", "hello", "--id", "older", "--detach")
    cli("run", "bot", "hello", "--id", "newer")

    assert "next     twelvefold resume older\n" in cli().out
    cli("resume", "older")
    assert "next     twelvefold run AGENT INPUT\n" in cli().out
