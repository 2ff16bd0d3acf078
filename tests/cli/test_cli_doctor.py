"""doctor: what a limit stopped, and a database that is away or refuses."""

import subprocess
import sys
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


READS_ONLY = "%20-crole%3Dpg_read_all_data"
"""A role that Postgres has; the URL of a test has options already."""


def test_a_login_that_may_only_read_is_told_which_grants_it_lacks(
    cli: Cli, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWELVEFOLD_STORE", empty_postgres_url)
    cli("db", "migrate", "--engine", "procrastinate")
    assert "may not write" not in cli("doctor").out
    monkeypatch.setenv("TWELVEFOLD_STORE", empty_postgres_url + READS_ONLY)

    embedded = cli("doctor")
    monkeypatch.setenv("TWELVEFOLD_ENGINE", "procrastinate")
    looked, worked = cli("doctor"), cli("worker")

    assert (embedded.code, looked.code, worked.code) == (6, 6, 6)
    assert "may not write twelvefold_" in embedded.out
    assert "may not write procrastinate_events" in looked.out
    assert "usage on the sequences" in looked.out
    assert "may not write the queue: permission denied" in worked.err
    assert "tried again" not in worked.err


SAYS = """
import logging, sys
from twelvefold.cli.here import Here
here = Here()
here.warns = True
here.app
if sys.argv[1:]:
    logging.basicConfig()
logging.getLogger("psycopg.pool").warning("error connecting in 'pool-1'")
here.close()
logging.getLogger("psycopg.pool").warning("afterwards")
"""


def test_what_a_pool_repeats_is_left_to_those_who_set_up_logging(cli: Cli):
    def said(*args: str) -> str:
        ran = subprocess.run([sys.executable, "-c", SAYS, *args], capture_output=True, text=True)
        return ran.stderr

    assert said() == "afterwards\n"
    assert "error connecting" in said("logging")
