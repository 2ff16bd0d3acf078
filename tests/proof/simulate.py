"""Runs histories of the simulation: `python tests/proof/simulate.py 7 8 9` replays these seeds.

One line of JSON says how each ended; `--trace` shows every step of it. `--first 100` runs the seeds
from 0 until one goes wrong, which is what a mutant is for. Nothing in a history depends on the
machine: the same seed is the same history, also in another process.
"""

import argparse
import gc
import json
import logging
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from sim_checks import check  # noqa: E402
from sim_history import History  # noqa: E402
from sim_processes import Wrong  # noqa: E402
from virtual_time import run_virtually  # noqa: E402

from twelvefold.stores.sqlite import SqliteStore  # noqa: E402

MEMORY = Path("/dev/shm")
"""Where files cost no disk, when the machine has it: no history loses power."""


@dataclass(slots=True)
class Ended:
    """How one history ended. `wrong` is empty when all promises held."""

    seed: int
    wrong: str = ""
    kind: str = ""
    did: Counter[str] = field(default_factory=Counter[str])
    trace: list[str] = field(default_factory=list[str])
    log: list[str] = field(default_factory=list[str])


def histories(seeds: Iterable[int]) -> Iterable[Ended]:
    logging.disable(logging.CRITICAL)  # what is killed and refused here is meant to be
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        SqliteStore(folder / "empty.db").close()
        for seed in seeds:
            yield _history(seed, folder)


def ended_of(seeds: Iterable[int]) -> list[Ended]:
    """As `histories`, for another process: of those that held, without what is only for reading."""
    kept = list(histories(seeds))
    for ended in kept:
        ended.trace.clear()
    return kept


def _history(seed: int, folder: Path) -> Ended:
    path = folder / f"{seed}.db"
    shutil.copy(folder / "empty.db", path)
    history, ended = History(seed, path), Ended(seed)
    try:
        run_virtually(history.run())
        check(history)
    except Wrong as wrong:
        ended.wrong, ended.kind = str(wrong), wrong.kind
    except Exception as error:
        ended.wrong, ended.kind = f"{type(error).__name__}: {error}", "error"
    finally:
        ended.did, ended.trace = history.sight.did, history.sight.trace
        ended.log = _log(history)
        history.close()
        for left in folder.glob(f"{seed}.db*"):
            left.unlink()
    return ended


def _log(history: History) -> list[str]:
    try:
        return [f"{e.seq} {e.type}" for e in history.app.thread(history.ref.id).events]
    except Exception:
        return []


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--trace", action="store_true")
    given = parser.parse_args(arguments)
    for ended in histories(given.seeds or range(given.first)):
        if given.trace:
            sys.stdout.write("\n".join([*ended.trace, *ended.log, ""]))
        if given.seeds or ended.wrong:
            said = {"seed": ended.seed, "wrong": ended.wrong, "kind": ended.kind, **ended.did}
            sys.stdout.write(json.dumps(said) + "\n")
        if ended.wrong and not given.seeds:
            return 1
        gc.collect(0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
