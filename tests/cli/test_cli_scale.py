"""The command line with several workers: one setting changes the engine, and back."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import APPS, Cli

MAIN = "from twelvefold.cli import main; main()"
PATIENCE_S = 60.0
ENGINE = ("--engine", "procrastinate")


@pytest.fixture
def url(empty_postgres_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy(APPS / "working.py", folder / "app.py")
    monkeypatch.setenv("TWELVEFOLD_STORE", empty_postgres_url)
    return empty_postgres_url


@contextmanager
def worker(*args: str) -> Generator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", MAIN, "worker", "--json", *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def worker_after(other: "subprocess.Popen[str]") -> Generator["subprocess.Popen[str]"]:
    """Another one, once that one works."""
    assert says(other) == "advancing"
    with worker() as process:
        yield process


def shown(cli: Cli, thread: str) -> str:
    return cli("threads", "show", thread).out


def says(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())["state"]


def test_two_workers_share_what_commands_launch_and_follow(
    cli: Cli, url: str, monkeypatch: pytest.MonkeyPatch
):
    assert cli("db", "migrate", *ENGINE).out == "applied 0001_threads.sql, procrastinate\n"
    assert cli("db", "migrate", *ENGINE).out == "nothing was pending\n"
    monkeypatch.setenv("TWELVEFOLD_ENGINE", "procrastinate")
    assert cli("run", "bot", "this", "--id", "before", "--detach").code == 0
    waiting = cli("stats", "--json").document["data"]
    assert (waiting["engine"], waiting["queue"], waiting["workers"]) == ("procrastinate", 1, 0)
    assert "note  engine procrastinate  1 wait" in cli("doctor").out
    assert "running  before waits for a worker; none is on this machine" in shown(cli, "before")

    with worker("--stall", "6") as one, worker() as two:
        assert [says(one), says(two)] == ["advancing", "advancing"]
        assert cli("stats", "--json").document["data"]["workers"] == 2
        assert cli("run", "bot", "that", "--id", "t").code == 0
        with worker("--engine", "embedded") as other:
            assert says(other) == "standby"
        for process in (one, two):
            process.send_signal(signal.SIGTERM)
            assert [says(process), says(process)] == ["stopping", "stopped"]
            assert process.wait(PATIENCE_S) == 0

    assert "workers      0" in cli("stats").out
    with worker("--engine", "embedded") as alone, worker_after(alone) as late:
        assert says(late) == "standby"
        alone.send_signal(signal.SIGTERM)
        assert says(late) == "advancing"
    assert {row["status"] for row in cli("threads", "list", "--json").document["data"]} == {
        "finished"
    }
    assert cli("run", "bot", "alone").code == 0  # nobody is there, so the command does it
    monkeypatch.delenv("TWELVEFOLD_ENGINE")
    assert cli("stats", "--json").document["data"]["engine"] == "embedded"


def test_a_log_without_the_tables_of_the_engine_names_the_command(
    cli: Cli, url: str, monkeypatch: pytest.MonkeyPatch
):
    cli("db", "migrate")
    monkeypatch.setenv("TWELVEFOLD_ENGINE", "procrastinate")
    assert "next:  twelvefold db migrate --engine procrastinate\n" in cli("stats").err
    script = cli("db", "migrate", "--sql").out
    assert "CREATE TABLE procrastinate_jobs" in script

    with worker(*ENGINE) as one:
        said = one.communicate(timeout=PATIENCE_S)[1]
    assert one.returncode == 6
    assert "next:  twelvefold db migrate --engine procrastinate\n" in said


def test_a_file_has_no_room_for_several_workers(cli: Cli, folder: Path):
    refused = cli("worker", *ENGINE)

    assert refused.code == 6
    assert "needs a Postgres store, and this is SqliteStore" in refused.err


def test_an_engine_that_is_not_known_is_refused(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    assert cli("worker", "--engine", "celery").code == 2
    monkeypatch.setenv("TWELVEFOLD_ENGINE", "celery")

    assert "none of embedded, procrastinate" in cli("stats").err


def test_the_project_names_the_engine(cli: Cli, folder: Path):
    (folder / "pyproject.toml").write_text('[tool.twelvefold]\nengine = "embedded"\n')

    rows = {row["name"]: row for row in cli("config", "show", "--json").document["data"]}
    assert (rows["engine"]["value"], rows["engine"]["from"]) == ("embedded", "pyproject.toml")


def test_the_stats_of_a_file_are_shown(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--detach")

    lines = cli("stats").out.splitlines()
    assert lines[0].split() == ["engine", "embedded"]
    assert lines[1].startswith("queue        1 thread")
    assert "engine embedded" in cli("doctor").out
