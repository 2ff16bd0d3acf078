"""Jobs as data: which there are, the locks under which they run, and what they carry.

- `advance` runs under the lock of its thread: one at a time, on whatever worker.
- `again` is an advance that failed and waits. It has a lock of its own, for a future job under the
  lock of the thread would hold up all that comes meanwhile.
- `timer` fires or delivers, also under a lock of its own. It is made when the timer is due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from procrastinate.jobs import Job as Row

from twelvefold.store import Due, Ref

Task = Literal["advance", "again", "timer"]

QUEUE = "twelvefold"
ALONE = "twelvefold_alone"
"""Where jobs wait whose worker died more than once: a worker runs one of them at a time, so that
only the one that kills goes on to be suspected."""
QUEUES = (QUEUE, ALONE)
PREFIX = "twelvefold."
SEPARATOR = "\x1f"
"""The unit separator. Should a name hold one, two threads may share a lock, and take turns."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was fetched. `kills`: how many workers have died while they had it."""

    id: int
    task: str
    ref: Ref
    key: str
    tries: int
    kills: int
    queue: str


def advance_job(ref: Ref) -> Row:
    return _row("advance", ref, lock=lock_of(ref))


def timer_job(due: Due) -> Row:
    return _row("timer", due.ref, lock=lock_of(due.ref, due.key), key=due.key)


def lock_of(ref: Ref, *about: str) -> str:
    return SEPARATOR.join((*ref, *about))


def lock_of_job(job: Job) -> str:
    about = {"advance": (), "again": ("again",)}.get(job.task, (job.key,))
    return lock_of(job.ref, *about)


def job_of(id: int, task: str, given: Mapping[str, Any], kills: int, queue: str) -> Job:
    return Job(
        id=id,
        task=task.removeprefix(PREFIX),
        ref=Ref(given["tenant"], given["id"]),
        key=given.get("key", ""),
        tries=given.get("tries", 0),
        kills=kills,
        queue=queue,
    )


def _row(task: Task, ref: Ref, *, lock: str, **given: Any) -> Row:
    return Row(
        queue=QUEUE,
        lock=lock,
        queueing_lock=None,  # it would make a second wake fail the transaction it is part of
        task_name=PREFIX + task,
        task_kwargs={"tenant": ref.tenant, "id": ref.id, **given},
    )
