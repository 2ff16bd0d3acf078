"""The command line on a Postgres log: the same commands, with a URL."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from postgres.cluster import Cluster

Cli = Callable[..., Any]
MAIN = "from twelvefold.cli import main; main()"
LIMIT_S = 60


@pytest.fixture
def url(postgres_url: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """Named by the environment, as a deployment does."""
    monkeypatch.setenv("TWELVEFOLD_STORE", postgres_url)
    return postgres_url


def test_a_thread_runs_waits_is_approved_and_finishes(cli: Cli, url: str, folder: Path):
    asked = cli("run", "bot", "deploy v1", "--id", "one")
    assert asked.code == 10
    assert "one.s1.1" in cli("inbox").out

    assert cli("approve", "one", "--as", "anna").code == 0

    row = cli("threads", "list", "--json").document["data"][0]
    assert (row["id"], row["status"]) == ("one", "finished")
    assert "deploy" in cli("threads", "show", "one").out
    assert cli("threads", "replay", "one").code == 0
    assert not (folder / ".twelvefold").exists()


def test_a_database_without_tables_names_the_command_that_makes_them(
    cli: Cli, postgres: Cluster, folder: Path
):
    with postgres.log(migrated=False) as url:
        refused = cli("--store", url, "run", "bot", "deploy v1")
        assert refused.code == 6
        assert "next:  twelvefold db migrate" in refused.err

        told = cli("--store", url, "db", "migrate", "--sql")
        assert told.out.startswith("begin;\n")
        assert "create table twelvefold_threads" in told.out
        assert cli("--store", url, "db", "status", "--json").document["version"] == 0

        assert cli("--store", url, "db", "migrate").out == "applied 0001_threads.sql\n"
        assert cli("--store", url, "db", "migrate").out == "nothing was pending\n"
        assert cli("--store", url, "run", "bot", "deploy v1").code == 10


def test_the_status_counts_what_the_database_holds(cli: Cli, url: str):
    cli("run", "bot", "deploy v1", "--id", "one")

    document = cli("db", "status", "--json").document

    assert (document["version"], document["pending"]) == (document["known"], [])
    assert (document["rows"]["threads"], document["rows"]["open_contacts"]) == (1, 1)
    assert document["bytes"] > 0
    assert "write-ahead" not in cli("db", "status").out


def test_a_newer_schema_is_exit_6(cli: Cli, url: str):
    with psycopg.connect(url) as db:
        db.execute("insert into twelvefold_migrations values (9999, 'future', '')")

    assert cli("db", "status").code == 6
    assert cli("db", "migrate").code == 6
    assert cli("threads", "list").code == 6


def test_a_rebuild_says_whose_lists_were_wrong(cli: Cli, url: str):
    cli("run", "bot", "deploy v1", "--id", "one")
    assert cli("db", "rebuild").out == "1 threads; every list was right\n"
    with psycopg.connect(url) as db:
        db.execute("update twelvefold_contacts set outcome = 'approved'")

    assert cli("inbox", "--json").document["data"] == []
    assert "1 of 1 threads differed" in cli("db", "rebuild").out
    assert len(cli("inbox", "--json").document["data"]) == 1


def test_the_doctor_knows_the_database_and_no_password_is_shown(
    cli: Cli, url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWELVEFOLD_STORE", url.replace("postgres@", "postgres:hunter2@"))

    said = [cli(*words.split()) for words in ("doctor", "config show", "db status", "threads list")]

    assert "PostgreSQL" in said[0].out
    assert [ran.code for ran in said] == [0, 0, 0, 0]
    assert "hunter2" not in "".join(ran.out + ran.err for ran in said)


def test_a_server_that_is_gone_is_said_in_two_lines(cli: Cli, tmp_path: Path):
    ran = cli("--store", f"postgresql://postgres@/x?host={tmp_path}", "threads", "list")

    assert ran.code == 6
    assert ran.err.startswith("error: postgresql://")


def test_what_a_worker_started_may_not_decide(cli: Cli, url: str):
    from twelvefold.stores.postgres import PostgresStore

    cli("run", "bot", "deploy v1", "--id", "one")
    store = PostgresStore(url)
    command = [sys.executable, "-c", MAIN, "approve", "one", "--as", "anna"]
    with store.runner_lock() as held:
        assert held
        ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    store.close()

    assert ran.returncode == 5
    assert "only people answer" in ran.stderr


def test_a_worker_that_was_killed_leaves_its_place_to_the_next(cli: Cli, url: str):
    command = [sys.executable, "-c", MAIN, "worker", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert said(first)["state"] == "advancing"
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second:
            assert said(second) == said_standby(second.pid, runner=first.pid)
            first.kill()
            assert said(second)["state"] == "advancing"
            cli("run", "bot", "deploy v1", "--id", "one", "--detach")
            second.terminate()
            assert second.wait(LIMIT_S) == 0


def said(process: "subprocess.Popen[str]") -> dict[str, object]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def said_standby(pid: int, *, runner: int) -> dict[str, object]:
    return {"schema": "twelvefold.worker/1", "state": "standby", "pid": pid, "runner": runner}


def test_without_its_driver_the_extra_is_named(folder: Path):
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from twelvefold.cli import call\n"
        "sys.exit(call(['--store', 'postgresql://h/d', 'threads', 'list']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env=os.environ | {"NO_COLOR": "1"},
    )

    assert ran.returncode == 6
    assert "pip install 'twelvefold[postgres]'" in ran.stderr
