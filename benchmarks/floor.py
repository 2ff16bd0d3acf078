"""The floor: the same work by hand. sqlite3, one INSERT and one commit per event, nothing else.

No decisions, no rendering, no hashes, no parsing: what the disk and the interpreter cost at least.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.measure import Curve, Meter, cold_ms, stored_bytes

_SCHEMA = """
create table events (
    thread_id text, seq integer, type text, data text, primary key (thread_id, seq)
) without rowid
"""


class Log:
    """One thread's events. `append` returns when its event is durable."""

    def __init__(self, db: sqlite3.Connection, thread_id: str) -> None:
        self._db, self._thread_id, self._seq = db, thread_id, 0

    def append(self, type: str, data: dict[str, Any]) -> None:
        self._seq += 1
        row = (self._thread_id, self._seq, type, json.dumps(data))
        self._db.execute("begin immediate")
        self._db.execute("insert into events values (?, ?, ?, ?)", row)
        self._db.execute("commit")


def open_database(folder: Path) -> sqlite3.Connection:
    db = sqlite3.connect(folder / "floor.db", isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute(_SCHEMA)
    return db


def sequential(folder: Path) -> dict[str, float]:
    db = open_database(folder)
    meter = Meter()
    for number in range(work.THREADS):
        write_thread(Log(db, f"t{number}"))
    commits = work.THREADS * (2 * work.STEPS + 2)
    return meter.per_step(work.THREADS * work.STEPS) | {
        "commits": commits / (work.THREADS * work.STEPS)
    }


def long(folder: Path) -> dict[str, float]:
    db = open_database(folder)
    log, curve = Log(db, "t"), Curve()
    log.append("message", {"text": work.TASK})
    for step in range(work.LONG_STEPS):
        write_step(log, step)
        curve.mark()
    log.append("finished", {"message": work.ANSWER})
    return curve.points() | stored_bytes(folder / "floor.db")


def crowd(folder: Path) -> dict[str, float]:
    import asyncio  # not at the top: the one-step process by hand would not load it

    db = open_database(folder)

    async def one(number: int) -> None:
        log = Log(db, f"t{number}")
        log.append("message", {"text": work.TASK})
        for step in range(work.STEPS):
            await asyncio.sleep(work.MODEL_S)
            write_step(log, step)
        await asyncio.sleep(work.MODEL_S)
        log.append("finished", {"message": work.ANSWER})

    async def everyone() -> None:
        await asyncio.gather(*map(one, range(work.CROWD)))

    meter = Meter()
    asyncio.run(everyone())
    return meter.per_step(work.CROWD * work.STEPS) | {"wall_s": meter.wall_s}


def process(folder: Path) -> dict[str, float]:
    log = Log(open_database(folder), "t")
    log.append("message", {"text": work.TASK})
    write_step(log, 0)
    log.append("finished", {"message": work.ANSWER})
    return {}


def write_thread(log: Log) -> None:
    log.append("message", {"text": work.TASK})
    for step in range(work.STEPS):
        write_step(log, step)
    log.append("finished", {"message": work.ANSWER})


def write_step(log: Log, step: int) -> None:
    log.append("chosen", {"intent": "lookup", "args": {"query": work.query(step)}})
    log.append("returned", {"result": work.RESULT})


def resume(folder: Path) -> dict[str, float]:
    """Read the log of one thread and call a function; the same in a new process."""
    db = open_database(folder)
    Log(db, "t").append("message", {"text": work.TASK})
    warm_ms: list[float] = []
    for _ in range(work.RESUMES):
        started = time.perf_counter()
        read_log(db, "t")
        warm_ms.append(1000 * (time.perf_counter() - started))
    db.close()
    return {"warm_ms": sorted(warm_ms)[len(warm_ms) // 2], "cold_ms": cold_ms("floor", folder)}


def read_log(db: sqlite3.Connection, thread_id: str) -> list[Any]:
    query = "select data from events where thread_id = ? order by seq"
    return [json.loads(data) for (data,) in db.execute(query, (thread_id,))]


def scale(folder: Path) -> dict[str, float]:
    """Read a long log; there is nothing to fold or render."""
    db, figures = open_database(folder), dict[str, float]()
    for size in work.SCALES:
        have = db.execute("select count(*) from events").fetchone()[0]
        result = json.dumps({"result": work.RESULT})
        db.execute("begin")
        new = (("t", seq, "returned", result) for seq in range(have + 1, size + 1))
        db.executemany("insert into events values (?, ?, ?, ?)", new)
        db.execute("commit")
        started = time.perf_counter()
        read_log(db, "t")
        figures[f"fold_s_{size}"] = time.perf_counter() - started
    return figures


def tokens(_: Path) -> dict[str, float]:
    """The examples' threads as a usual framework keeps them: the provider's chat messages."""
    from benchmarks.contexts import tokens_of_provider_chat  # which loads twelvefold, to play them

    return tokens_of_provider_chat()


if __name__ == "__main__":
    read_log(sqlite3.connect(Path(sys.argv[1]) / "floor.db"), "t")
    print("called", flush=True)
