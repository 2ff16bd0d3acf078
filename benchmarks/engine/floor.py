"""What the engine's figures stand beside: the same threads by hand, in one process."""

from pathlib import Path

from benchmarks import work
from benchmarks.postgres import floor


def crowd(folder: Path) -> dict[str, float]:
    return floor.crowd(folder)


def throughput(folder: Path) -> dict[str, float]:
    """With a model that answers at once, and as many connections as help."""
    ms = floor.crowd(folder, latency_s=0.0)["ms"]
    return {f"ms_{count}": ms for count in work.WORKERS}
