"""A backup taken at any moment, also of a process that was killed: restored, it goes on from there.

What happened after the backup is not in it: a tool that honours its key does nothing twice then,
and any other one is what the operations page says about it.
"""

import json
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from places import on_postgres, schema_of, url_of
from psycopg import sql
from reporting import Report, compared

from postgres.cluster import Cluster, find_binaries
from twelvefold.testing.logs import comparable
from twelvefold.testing.processes import Order, children

HERE = Path(__file__).parent
PATH = [HERE, HERE.parent, HERE.parent / "examples"]
POINTS = 2
"""In `make test`: so many moments, by chance. All of them in `make prove`."""
TO_THE_END = 0

Ended = tuple[dict[str, Any], dict[str, int]]
Restore = Callable[[Path], Callable[[], None]]
"""Takes a backup of the log of this folder; what is returned puts it in the place of the log."""


def finished(order: Order, folder: Path) -> Ended:
    """The comparable logs and the effects, when all is done."""
    ended = order(folder, {"do": "work", "kill_at": TO_THE_END})
    assert ended.code == 0, ended.said
    said = json.loads((folder / "ended.json").read_text())
    assert said["left"] == []
    return {name: comparable(log) for name, log in said["logs"].items()}, said["effects"]


def moments(order: Order, *, every: bool) -> tuple[Ended, Sequence[int]]:
    with tempfile.TemporaryDirectory() as name:
        plain = finished(order, Path(name))
        count = len(json.loads((Path(name) / "ended.json").read_text())["boundaries"])
    chosen = range(1, count + 1)
    return plain, chosen if every else sorted(random.Random(count).sample(chosen, POINTS))


def expect_it_goes_on(
    build: str, taken: Restore, proof: Report, *, every: bool, too_old: bool
) -> None:
    """`too_old`: the original goes on to its end before the backup takes its place."""
    with children(build, PATH) as order:
        plain, points = moments(order, every=every)
        for point in points:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                order(folder, {"do": "work", "kill_at": point})
                restore = taken(folder)
                if too_old:
                    finished(order, folder)
                restore()
                logs, effects = finished(order, folder)
            lost, doubled = compared(plain[1], effects)
            proof.add(lost=lost + (logs != plain[0]), duplicated=doubled)
            assert (lost, doubled) == (0, 0), f"killed at {point}"
            assert logs == plain[0]
        what = "then overtaken, " if too_old else ""
        proof.note(f"{build}: {len(points)} backups, {what}restored and finished")


def copied(folder: Path) -> Callable[[], None]:
    """As `db backup` does, while the write-ahead log is still there."""
    log, kept = folder / "threads.db", folder / "kept.db"
    with closing(sqlite3.connect(log)) as db:
        db.execute("vacuum into ?", [str(kept)])

    def restore() -> None:
        for left in folder.glob("threads.db*"):
            left.unlink()
        shutil.move(kept, log)

    return restore


def dumped(folder: Path) -> Callable[[], None]:
    """With the server's own pg_dump and psql."""
    binaries, kept, name = find_binaries(), folder / "kept.sql", schema_of(folder)
    url = url_of(folder)
    assert url is not None
    if not (binaries / "pg_dump").exists():
        pytest.skip("these binaries of Postgres bring no pg_dump")
    dump = [str(binaries / "pg_dump"), "-n", name, "-f", str(kept), url]
    subprocess.run(dump, check=True, capture_output=True)

    def restore() -> None:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))
        load = [str(binaries / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-f", str(kept), url]
        subprocess.run(load, check=True, capture_output=True)

    return restore


@pytest.fixture
def _server(postgres: Cluster) -> Iterator[Mapping[str, str]]:
    with on_postgres(postgres.url):
        yield {}


def test_a_copy_of_the_file_goes_on(proof: Report) -> None:
    expect_it_goes_on("scenarios:payments", copied, proof, every=False, too_old=False)


def test_a_copy_that_is_too_old_does_no_keyed_effect_twice(proof: Report) -> None:
    expect_it_goes_on("scenarios:pipeline", copied, proof, every=False, too_old=True)


@pytest.mark.usefixtures("_server")
def test_a_dump_of_the_server_goes_on_in_a_worker(proof: Report) -> None:
    expect_it_goes_on("worker_scenarios:payments", dumped, proof, every=False, too_old=False)


@pytest.mark.long
def test_a_copy_of_any_moment_goes_on(proof: Report) -> None:
    expect_it_goes_on("scenarios:payments", copied, proof, every=True, too_old=False)
    expect_it_goes_on("scenarios:pipeline", copied, proof, every=True, too_old=True)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("_server")
def test_a_dump_of_any_moment_goes_on(proof: Report) -> None:
    expect_it_goes_on("scenarios:payments", dumped, proof, every=True, too_old=False)
    expect_it_goes_on("worker_scenarios:first_agent", dumped, proof, every=True, too_old=False)
