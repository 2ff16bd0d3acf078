"""Servers that load a scenario once and fork a child for each order; the asking side."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from twelvefold.thread import Json

PROCESSES = 2
"""Servers side by side, as a rule."""

START = """
import os, pathlib, runpy
from twelvefold.scaffold.using import use_ejected
for folder in os.environ["PYTHONPATH"].split(os.pathsep):
    use_ejected(pathlib.Path(folder).resolve())
runpy.run_module("twelvefold.testing.child", run_name="__main__", alter_sys=True)
"""
"""What the project ejected is in place before anything of twelvefold is loaded that uses it."""

Order = Callable[[Path, Mapping[str, Json]], "Ended"]


class Ended:
    """How the children of one order ended: the worst exit code, and what they said."""

    def __init__(self, codes: Sequence[int], folder: Path) -> None:
        self.code = next((code for code in codes if code), 0)
        self.said = "".join(path.read_text() for path in sorted(folder.glob("said-*")))

    @property
    def why(self) -> str:
        """The last thing that was said, first: the error before its traceback."""
        *_, last = self.said.rstrip().split("\n")
        return f"{last}\n{self.said}"


@contextmanager
def children(
    build: str, path: Sequence[Path | str], *, processes: int = PROCESSES
) -> Generator[Order]:
    """A function that has a child, or several, carry out an order in a folder. Thread-safe for as
    many threads as there are `processes`."""
    before = os.pathsep.join(str(p) for p in path)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([before, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", START, build]
    servers = [
        subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    idle = list(servers)

    def order(folder: Path, what: Mapping[str, Json]) -> Ended:
        server = idle.pop()
        try:
            return Ended(_ask(server, {"folder": str(folder), **what}), folder)
        finally:
            idle.append(server)

    try:
        yield order
    finally:
        for server in servers:
            server.kill()
            server.communicate()


def _ask(server: "subprocess.Popen[str]", order: Mapping[str, Json]) -> list[int]:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(order) + "\n")
    server.stdin.flush()
    line = server.stdout.readline()
    assert line, "the server of the scenario ended; can its module be imported?"
    return json.loads(line)
