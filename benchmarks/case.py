"""One case in a process of its own: `python -m benchmarks.case ours sequential FOLDER`, as JSON."""

import gc
import json
import sys
from importlib import import_module
from pathlib import Path

from benchmarks import work


def main(side: str, case: str, folder: str) -> None:
    # Only the side that is asked for is loaded: the other one's imports would count as its cost.
    *package, name = case.split(".")
    measured = getattr(import_module(".".join(["benchmarks", *package, side])), name)
    gc.freeze()  # as `twelvefold worker` does; for both sides
    gc.set_threshold(work.YOUNG_MAX)
    print(json.dumps(measured(Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
