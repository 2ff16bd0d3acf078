"""Pages of long lists, and threads that wait for a person for a long time."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import work
from benchmarks.agents import Gate
from benchmarks.large.lists import fill, looks, took_ms
from benchmarks.measure import percentile
from benchmarks.postgres.logs import fresh_log
from twelvefold.stores.postgres import PostgresStore

PAUSED = 10_000
TOGETHER = 500
"""Launched before they are advanced."""
IDLE_S = 10.0

BYTES = """
select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c
where c.relkind = 'r' and c.relname ~ '^(twelvefold|procrastinate)_' and pg_table_is_visible(c.oid)
"""
LEFT = {
    "timers": "select count(*) from twelvefold_timers",
    "wakes": "select count(*) from twelvefold_wakes",
    "jobs": "select count(*) from procrastinate_jobs",
}


def lists(_: Path) -> dict[str, float]:
    with fresh_log() as url:
        fill(url)
        store = PostgresStore(url)
        found: dict[str, float] = {}
        for name, look in looks(store).items():
            took = took_ms(look)
            found |= {f"{name}, p50": percentile(took, 50), f"{name}, p95": percentile(took, 95)}
        store.close()
    return found


def paused(_: Path) -> dict[str, float]:
    """Threads that wait for an approval: what they leave, and what a worker beside them does."""
    with fresh_log(engine=True) as url:
        before = _one(url, BYTES)
        asyncio.run(_pause(url))
        figures = {name: float(_one(url, query)) for name, query in LEFT.items()}
        figures["kb"] = (_one(url, BYTES) - before) / PAUSED / 1000
        return figures | _idle_worker(url)


async def _pause(url: str) -> None:
    gate = Gate(PostgresStore(url), called=lambda: None)
    for first in range(0, PAUSED, TOGETHER):
        names = [f"t{number}" for number in range(first, first + TOGETHER)]
        await asyncio.gather(
            *(gate.app.launch("gate", work.TASK, thread_id=name) for name in names)
        )
        await gate.app.run(until_idle=True)
    waiting = gate.store.contacts(limit=PAUSED + 1)
    assert len(waiting) == PAUSED, len(waiting)
    gate.app.close()


def _idle_worker(url: str) -> dict[str, float]:
    """CPU ms per second and peak MB of a worker that has nothing to do but to look."""
    command = [sys.executable, "-m", "benchmarks.engine.worker", url, os.devnull, "0", "9"]
    with subprocess.Popen(command) as worker:
        try:
            time.sleep(IDLE_S)  # it starts, and looks at what there is
            before = _cpu_ms(worker.pid)
            time.sleep(IDLE_S)
            cpu_ms = (_cpu_ms(worker.pid) - before) / IDLE_S
            return {"idle_cpu_ms": cpu_ms, "idle_mb": _peak_mb(worker.pid)}
        finally:
            worker.kill()


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [kib] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return kib / 1000


def _cpu_ms(pid: int) -> float:
    """What Linux says of this process and its threads."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")


def _one(url: str, query: Any) -> int:
    with psycopg.connect(url) as db:
        row = db.execute(query).fetchone()
    assert row is not None
    return row[0]
