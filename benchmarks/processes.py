"""Cases as fresh processes: their figures, their peak memory, and the fsyncs that strace saw.

This module loads nothing of twelvefold. A new process inherits the peak of the one that starts it,
so the starter has to be small.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FSYNCS = ("fsync", "fdatasync")
Figures = dict[str, float]


def run_case(side: str, case: str, *, disk: Path) -> Figures:
    """The figures of one case, with `process_ms` and `peak_mb` of the whole process."""
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        started = time.perf_counter()
        process = subprocess.Popen(_command(side, case, folder), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process_ms = 1000 * (time.perf_counter() - started)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the case {side} {case} ended with exit code {process.returncode}")
    return json.loads(printed) | {"process_ms": process_ms, "peak_mb": _peak_mb(usage.ru_maxrss)}


def _peak_mb(maxrss: int) -> float:
    """Linux counts in KiB, macOS in bytes."""
    return maxrss / (1_000_000 if sys.platform == "darwin" else 1000)


def count_fsyncs(side: str, case: str, *, disk: Path) -> int | None:
    """How often the case waited for the disk; None where there is no strace."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        report = Path(folder, "strace")
        trace = ["strace", "-f", "-c", "-e", f"trace={','.join(FSYNCS)}", "-o", str(report)]
        done = subprocess.run([*trace, *_command(side, case, folder)], capture_output=True)
        return None if done.returncode else _counted(report.read_text())


def _counted(report: str) -> int:
    """The calls in a table of `strace -c`: share, seconds, microseconds, calls, name."""
    rows = [line.split() for line in report.splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in FSYNCS)


def _command(side: str, case: str, folder: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.case", side, case, folder]
