"""The curves by hand: what the disk and SQLite bring to them."""

import json
import statistics
import time
from pathlib import Path

from benchmarks import work
from benchmarks.floor import Log, open_database, write_step, write_thread
from benchmarks.measure import Curve


def steps(folder: Path) -> dict[str, float]:
    log, curve = Log(open_database(folder), "t"), Curve()
    log.append("message", {"text": work.TASK})
    for step in range(work.CURVE_STEPS[-1]):
        write_step(log, step)
        curve.mark()
    return curve.at(*work.CURVE_STEPS)


def threads(folder: Path) -> dict[str, float]:
    db, figures, made = open_database(folder), dict[str, float](), 0
    events = 2 * work.STEPS + 2
    row = json.dumps({"result": work.RESULT})
    for count in work.CURVE_THREADS:
        db.execute("begin")
        rows = (
            (f"old{n}", seq, "returned", row) for n in range(made, count) for seq in range(events)
        )
        db.executemany("insert into events values (?, ?, ?, ?)", rows)
        db.execute("commit")
        made, took = count, list[float]()
        for number in range(work.CURVE_SAMPLE):
            started = time.perf_counter()
            write_thread(Log(db, f"t{count}-{number}"))
            took.append(time.perf_counter() - started)
        figures[f"ms_{count}"] = 1000 * statistics.median(took) / work.STEPS
    return figures
