"""The right to advance the threads of one file: an flock that dies with its process."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from twelvefold.stores.sqlite.failures import unreachable

SUFFIX = ".runner"
PID_CHARS = 20
"""The file keeps its length: to cut it and let it grow again costs more than the lock."""


@contextmanager
def runner_lock(path: str) -> Generator[bool]:
    """Hold `<path>.runner` while inside; False at once when somebody else holds it. The path is
    resolved already: however a file is named, it has one lock."""
    try:
        lock = os.open(path + SUFFIX, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise unreachable(path + SUFFIX, error.strerror or str(error)) from error
    try:
        held = _try_lock(lock, fcntl.LOCK_EX)
        if held:
            _write_pid(lock, str(os.getpid()))
        yield held
        if held:
            _write_pid(lock, "")
    finally:
        os.close(lock)


def runner_pid(path: str | Path) -> int | None:
    """The process that advances the threads of `path`, or None when nobody does."""
    try:
        lock = os.open(os.path.realpath(path) + SUFFIX, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(lock, PID_CHARS).rstrip()
        # A holder that was killed leaves its pid, but not its lock.
        if not text.isdigit() or _try_lock(lock, fcntl.LOCK_SH):
            return None
        return int(text)
    finally:
        os.close(lock)


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_pid(lock: int, pid: str) -> None:
    os.pwrite(lock, pid.ljust(PID_CHARS).encode(), 0)
