"""What makes the disk fail and the clock jump in one process: faults.c, compiled when it is needed.

It stands between the process and the C library, so what it shows is how this code and SQLite take
an error. It does not show what a disk loses that said nothing, nor a loss of power.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("faults.c")
COMPILER = shutil.which("gcc") or shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="faults.c needs a C compiler")


def compiled(folder: Path) -> Path:
    library = folder / "faults.so"
    assert COMPILER is not None
    command = [COMPILER, "-O1", "-shared", "-fPIC", "-w", "-o", str(library), str(SOURCE), "-ldl"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return library


def failing(library: Path, *, kind: str, of_1000: int, seed: int, file: str) -> Mapping[str, str]:
    """The environment of a process whose writes to such files fail."""
    return os.environ | {
        "LD_PRELOAD": str(library),
        "FAULT_KIND": kind,
        "FAULT_OF_1000": str(of_1000),
        "FAULT_SEED": str(seed + 1),
        "FAULT_FILE": file,
    }


def jumping(library: Path, clock: Path) -> Mapping[str, str]:
    """The environment of a process whose time of day is as many seconds ahead as `clock` says."""
    return os.environ | {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(clock)}
