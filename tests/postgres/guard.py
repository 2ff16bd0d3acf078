"""Keeps a Postgres server up until its standard input ends, and leaves nothing of it behind.

Whoever started this holds the other end of the pipe. However that process ends, by Ctrl-C or by
SIGKILL, the pipe ends with it; the server is then stopped and its folder removed.
"""

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

STOP_S = 10.0
STARTS_MAX = 100
"""Tests kill the server, too: it then starts anew, as soon as the last of the old one is gone."""
PAUSE_S = 0.1


def main(folder: Path, user: int | None, command: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    over = threading.Event()
    threading.Thread(target=_read_to_the_end, args=[over], daemon=True).start()
    try:
        for _ in range(STARTS_MAX):
            _serve(folder, user, command, over)
            if over.wait(PAUSE_S):
                break
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_to_the_end(over: threading.Event) -> None:
    sys.stdin.buffer.read()
    over.set()


def _serve(folder: Path, user: int | None, command: list[str], over: threading.Event) -> None:
    """One server, until it ends or all is over."""
    with (folder / "server.log").open("ab") as said:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                  start_new_session=True, **as_user(user))  # fmt: skip
    while server.poll() is None and not over.wait(PAUSE_S):
        pass
    if server.poll() is None:
        server.send_signal(signal.SIGQUIT)  # at once: what it would save is thrown away
        server.wait(STOP_S)


def as_user(user: int | None) -> dict[str, object]:
    """What makes a child process run as this user; nothing when it is to be our own."""
    return {} if user is None else {"user": user, "group": group_of(user), "extra_groups": []}


def group_of(user: int) -> int:
    import pwd

    return pwd.getpwuid(user).pw_gid


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2] else None, sys.argv[3:])
