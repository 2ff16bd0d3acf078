"""doctor: what a limit stopped, and a database that is away or refuses."""

from pathlib import Path

import pytest
from commands import Cli


def test_the_doctor_says_what_a_limit_stopped_and_what_to_type(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DEPLOYS_CALLS", "0")
    for name in ("one", "two", "mine"):
        cli("run", "bot", "hello", "--id", name)
    cli("pause", "mine", "--as", "anna")

    ran = cli("doctor")

    assert ran.code == 0
    [line] = [line for line in ran.out.splitlines() if "a limit" in line]
    assert "stopped 2 threads of bot" in line
    assert line.endswith("then: twelvefold resume --all --agent bot")
    cli("resume", "--all", "--agent", "bot", "--count", "2")
    assert "a limit" not in cli("doctor").out


def test_a_database_that_is_away_is_said_once(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWELVEFOLD_STORE", f"postgresql://postgres@/x?host={tmp_path}")
    ran = cli("doctor")

    assert ran.code == 6
    assert ran.out.count("did not answer") == 1
    [unseen] = [line for line in ran.out.splitlines() if "not seen" in line]
    assert "threads, limits, waits, channels, deliveries" in unseen


def test_a_database_that_refuses_is_said_once(
    cli: Cli, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWELVEFOLD_STORE", empty_postgres_url)
    ran = cli("doctor")

    assert ran.code == 6
    assert ran.out.count("has not the tables") == 1
    assert "not looked at, for the reason above" in ran.out
