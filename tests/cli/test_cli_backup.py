"""db backup: a whole copy while others write, or nothing under that name."""

import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import Cli

from twelvefold.store import Append, Create
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import Draft

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def launch(store: SqliteStore, name: str) -> None:
    draft = Draft("message_received", {"text": "x" * 5000}, NOW, key="launch")
    store.commit_now(Append(name, [draft], create=Create("bot")))


def test_a_copy_made_while_others_write_is_a_log_that_goes_on(cli: Cli, folder: Path):
    cli("run", "bot", "deploy v1", "--id", "one")
    stop, written = threading.Event(), []
    store = SqliteStore(folder / ".twelvefold" / "threads.db")

    def write() -> None:
        while not stop.is_set():
            launch(store, f"t{len(written)}")
            written.append(1)

    writing = threading.Thread(target=write)
    writing.start()
    ran = cli("db", "backup", "copy.db")
    stop.set()
    writing.join()
    store.close()

    assert (ran.code, ran.out.split(" (")[0]) == (
        0,
        f"copy.db holds {folder}/.twelvefold/threads.db as it is now",
    )
    assert not Path("copy.db-wal").exists()
    assert cli("threads", "verify", "--all", "--store", "copy.db").code == 0
    assert cli("approve", "one", "--as", "anna", "--store", "copy.db").code == 0
    assert "waiting" in cli("threads", "show", "one").out


def test_a_file_that_is_there_is_left_as_it_is(cli: Cli, folder: Path):
    cli("run", "bot", "hello")
    Path("copy.db").write_text("mine")

    ran = cli("db", "backup", "copy.db")

    assert (ran.code, Path("copy.db").read_text()) == (4, "mine")
    assert "copy.db exists and was left as it is: name a new file." in ran.err


@pytest.mark.parametrize("there", [True, False])
def test_what_cannot_be_written_leaves_nothing(cli: Cli, folder: Path, there: bool):
    if there:
        cli("run", "bot", "hello")

    ran = cli("db", "backup", "no/such/folder/copy.db")

    assert ran.code == (6 if there else 4)
    assert ran.err.startswith("error: ")
    assert "next:" not in ran.err  # no command of ours helps
    assert not Path("no").exists()


SMALL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
from twelvefold.cli import main
main()
"""


def test_a_copy_that_the_disk_cannot_hold_has_no_name(cli: Cli, folder: Path):
    cli("run", "bot", "hello")
    store = SqliteStore(folder / ".twelvefold" / "threads.db")
    for number in range(20):
        launch(store, f"t{number}")
    store.close()
    command = [sys.executable, "-c", SMALL, "db", "backup", "copy.db"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ran.returncode == 6, ran
    assert "copy.db was not written" in ran.stderr
    assert sorted(path.name for path in folder.glob("copy*")) == []
    assert cli("threads", "verify", "--all").code == 0


def test_for_postgres_it_prints_the_command(cli: Cli, postgres_url: str, monkeypatch):
    monkeypatch.setenv("TWELVEFOLD_STORE", postgres_url)

    ran = cli("db", "backup", "log.dump")

    assert ran.code == 0
    assert ran.out.startswith("pg_dump --format=custom --file=log.dump 'postgresql://")
