"""Where the time of one case goes: `make flame`, or `make flame CASE=long`.

With py-spy on the PATH it is a flame graph, which costs the case nothing; else a cProfile file.
"""

import cProfile
import pstats
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import ours

OUT = Path("build")
SAMPLES_PER_S = 1000
LINES = 25


def main(case: str = "sequential") -> None:
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        made = _flame_graph(case, folder) if shutil.which("py-spy") else _profile(case, folder)
    print(made)


def _flame_graph(case: str, folder: str) -> str:
    svg = OUT / f"{case}.svg"
    record = ["py-spy", "record", "--rate", str(SAMPLES_PER_S), "--output", str(svg), "--"]
    subprocess.run(
        [*record, sys.executable, "-m", "benchmarks.case", "ours", case, folder], check=True
    )
    return f"The flame graph: {svg}"


def _profile(case: str, folder: str) -> str:
    profile = cProfile.Profile()
    profile.runcall(getattr(ours, case), Path(folder))
    path = OUT / f"{case}.prof"
    profile.dump_stats(path)
    pstats.Stats(profile).sort_stats("tottime").print_stats(LINES)
    return f"The profile: {path} (python -m pstats {path}); with py-spy it is a flame graph."


if __name__ == "__main__":
    main(*sys.argv[1:])
