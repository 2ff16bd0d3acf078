"""A disk whose writes and syncs fail, or that is full: what was acknowledged is stored, once."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from faults import compiled, failing, needs_compiler
from reporting import Report, twice

from twelvefold.audit import Verified, verify
from twelvefold.exceptions import UnknownThread
from twelvefold.stores.sqlite import SqliteStore

HERE = Path(__file__).parent
KINDS = {"write": 10, "sync": 150, "full": 10}
"""How many of 1000 calls fail."""
LIVES, LOGS, LOGS_LONG = 3, 1, 25
"""Processes one after the other on one log; logs of each kind."""
MEMORY = Path("/dev/shm")
KILLED = -9
DISK_BYTES = 300_000
PROCESS_S_MAX = 60


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory, where there is such a place: the errors are injected above the disk anyway."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


def live(log: Path, ledger: Path, seed: int, environ: Mapping[str, str]) -> None:
    """One process on the log, to its end or its death."""
    command = [sys.executable, str(HERE / "writing.py"), str(log), str(ledger), str(seed)]
    run = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=PROCESS_S_MAX, check=False
    )
    assert run.returncode in (0, KILLED), run.stderr


def judge(log: Path, ledger: Path, proof: Report) -> Counter[str]:
    """Compare the log with the ledger, on a disk that does not fail any more. The errors it met."""
    lines = ledger.read_text().split("\n")[:-1] if ledger.exists() else []
    acknowledged = [line[4:] for line in lines if line.startswith("ack ")]
    with closing(SqliteStore(log)) as store:
        try:
            stored = [event.data["signal"] for event in store.load("t").events]
        except UnknownThread:
            stored = []
        lost, doubled = set(acknowledged) - set(stored), twice(stored)
        proof.add(lost=len(lost), duplicated=doubled)
        assert (lost, doubled) == (set(), 0)
        assert store.rebuild().differed == ()
        if stored:
            assert isinstance(verify(store.recorded("t")), Verified)
    with closing(sqlite3.connect(log)) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    told = Counter(line[4:] for line in lines if line.startswith("err "))
    return told + Counter(acknowledged=len(acknowledged))


def expect_nothing_lost(
    kind: str, logs: int, library: Path, folder: Path, proof: Report
) -> Counter[str]:
    told = Counter[str]()
    for number in range(logs):
        log, ledger = folder / f"{kind}-{number}" / "threads.db", folder / f"{kind}-{number}.txt"
        for life in range(LIVES):
            seed = number * LIVES + life
            failed = failing(library, kind=kind, of_1000=KINDS[kind], seed=seed, file="threads.db")
            live(log, ledger, seed, failed)
        told += judge(log, ledger, proof)
    proof.note(f"{kind} errors, {logs} logs: {dict(told)}")
    return told


@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_on_a_failing_disk_is_stored_once(
    kind: str, library: Path, folder: Path, proof: Report
) -> None:
    told = expect_nothing_lost(kind, LOGS, library, folder, proof)

    assert told["acknowledged"] > 0
    assert told["StoreFull" if kind == "full" else "StoreUnavailable"] > 0


@pytest.mark.long
@pytest.mark.timeout(1800)
@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
def test_in_many_lives_on_a_failing_disk_too(
    kind: str, library: Path, folder: Path, proof: Report
) -> None:
    expect_nothing_lost(kind, LOGS_LONG, library, folder, proof)


# A disk that is really full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of `DISK_BYTES`, where mounting is allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    if (
        shutil.which("mount") is None
        or os.geteuid()
        or subprocess.run(mount, check=False).returncode
    ):
        pytest.skip("mounting is not allowed here; the errors of a full disk are injected above")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_says_so_and_recovers(small_disk: Path, tmp_path: Path, proof: Report) -> None:
    log, ledger = small_disk / "log" / "threads.db", tmp_path / "ledger.txt"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (DISK_BYTES // 3))
    for seed in range(4):  # each of them writes about 100 kB
        live(log, ledger, seed, os.environ)
    assert "err StoreFull" in ledger.read_text()
    until_full = len(ledger.read_text().splitlines())

    ballast.unlink()
    live(log, ledger, 4, os.environ)

    assert "ack" in "".join(ledger.read_text().splitlines()[until_full:])
    elsewhere = tmp_path / "elsewhere"  # to judge is to rebuild, which takes room of its own
    told = judge(shutil.copytree(log.parent, elsewhere) / log.name, ledger, proof)
    proof.note(f"a full disk: {dict(told)}")
