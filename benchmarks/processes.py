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
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

SERVER = "TWELVEFOLD_BENCH_POSTGRES"
"""The environment variable with the URL of the server's database."""
FSYNCS = ("fsync", "fdatasync")
Figures = dict[str, float]


def run_case(side: str, case: str, *, disk: Path, python: str = sys.executable) -> Figures:
    """The figures of one case, with `process_ms` and `peak_mb` of the whole process."""
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        started = time.perf_counter()
        process = subprocess.Popen(
            [python, *_case(side, case, folder)], stdout=subprocess.PIPE, text=True
        )
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


@contextmanager
def postgres() -> Generator[tuple[str, bool]]:
    """What the server is that cases find in their environment, or why there is none."""
    command = [sys.executable, "-m", "benchmarks.postgres.server"]
    pipes: dict[str, Any] = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        if line := server.stdout.readline():
            said = json.loads(line)
            os.environ[SERVER] = said["url"]
            yield said["about"], True
            server.communicate()  # the pipe ends, and so does the server
        else:
            yield _last_said(server.stderr.read()), False


def _last_said(text: str) -> str:
    """The reason at the end of a traceback, on one line; what is indented belongs to it."""
    lines = text.strip().splitlines()
    begins = max((n for n, line in enumerate(lines) if not line[:1].isspace()), default=0)
    return " ".join(line.strip() for line in lines[begins:])


def count_fsyncs(side: str, case: str, *, disk: Path, python: str = sys.executable) -> int | None:
    """How often the case waited for the disk; None where there is no strace."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        report = Path(folder, "strace")
        trace = ["strace", "-f", "-c", "-e", f"trace={','.join(FSYNCS)}", "-o", str(report)]
        done = subprocess.run([*trace, python, *_case(side, case, folder)], capture_output=True)
        return None if done.returncode else _counted(report.read_text())


def _counted(report: str) -> int:
    """The calls in a table of `strace -c`: share, seconds, microseconds, calls, name."""
    rows = [line.split() for line in report.splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in FSYNCS)


def _case(side: str, case: str, folder: str) -> list[str]:
    return ["-m", "benchmarks.case", side, case, folder]
