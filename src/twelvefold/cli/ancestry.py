"""Whether this process was started by a running advance: then it may not decide.

A tool that calls `twelvefold approve` would let the model approve itself. The parents of this
process are compared with the one that holds the runner lock. It is a fence, not a wall: a process
that left its family (a daemon, a job of cron), another machine, and systems without /proc are not
seen.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from twelvefold.exceptions import NotAllowed
from twelvefold.store import EmbeddedStore

PARENTS_MAX = 1000
PROC = Path("/proc")


def refuse_descendants(store: EmbeddedStore) -> None:
    """Raises `NotAllowed` when a parent of this process advances threads of this store."""
    runner = store.runner_pid()
    if runner is not None and runner in parents(os.getpid()):
        raise NotAllowed(
            f"This process was started by an advance (process {runner}), so it may not decide:"
            " only people answer. Nothing was done."
        )


def parents(pid: int, proc: Path = PROC) -> Iterator[int]:
    """The parents of a process, the nearest first, as far as /proc tells."""
    for _ in range(PARENTS_MAX):
        try:
            stat = (proc / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            return
        # The name is in parentheses and may hold spaces and parentheses itself.
        pid = int(stat.rpartition(")")[2].split()[1])
        if pid <= 0:
            return
        yield pid
