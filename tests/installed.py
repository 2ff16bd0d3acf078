"""A fresh machine that has the wheel: built once, installed into an environment of its own.

Offline: what twelvefold depends on comes from the environment of the tests, twelvefold does not.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENCE_S = 240
BIN = Path(sys.executable).parent
_THEIRS = next(Path(path) for path in sys.path if path.endswith("site-packages"))
_NOT_OURS = ("TWELVEFOLD_", "PYTHON", "PYTEST_", "COV_")


@dataclass(frozen=True)
class Machine:
    """`environment` holds the wheel; `run` is a command typed there."""

    environment: Path
    wheel: Path

    @property
    def bin(self) -> Path:
        return self.environment / "bin"

    def run(
        self, cwd: Path, *command: str, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*command),
            cwd=cwd,
            env=self.environ() | (env or {}),
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=PATIENCE_S,
        )

    def command(self, program: str, *args: str) -> list[str]:
        """`python`, `twelvefold` and `pytest` are those of the environment."""
        if program == "pytest":
            return [str(self.bin / "python"), "-m", "pytest", "-p", "no:cacheprovider", *args]
        found = self.bin / program
        return [str(found if found.exists() else BIN / program), *args]

    def environ(self) -> dict[str, str]:
        """A shell in which nothing of these tests is set."""
        mine = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_OURS)}
        return mine | {"PATH": f"{self.bin}:{os.environ['PATH']}", "NO_COLOR": "1"}

    @contextmanager
    def developing(self, cwd: Path, *args: str) -> Iterator[dict[str, Any]]:
        """`twelvefold dev` while it serves; what it said first."""
        with self.running(cwd, "twelvefold", "dev", "--json", "--port", "0", *args) as line:
            yield json.loads(line)

    @contextmanager
    def running(
        self, cwd: Path, *command: str, env: Mapping[str, str] | None = None, first: str = ""
    ) -> Iterator[str]:
        """A command that stays, until the block ends. The first line of its data; or, where `first`
        is given, the first line of its talk that holds this."""
        process = subprocess.Popen(
            self.command(*command),
            cwd=cwd,
            env=self.environ() | (env or {}),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            lines = process.stderr if first else process.stdout
            line = next((line for line in lines if first in line), "")
            assert line, process.communicate(timeout=PATIENCE_S)[1]
            yield line
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_S)


def machine(folder: Path) -> Machine:
    """In `folder`, which several processes may share: made by the first one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = list(folder.glob("*.whl"))
        if not found:
            _build(folder, "wheel")
            found = list(folder.glob("*.whl"))
            _install(folder / "environment", found[0])
    return Machine(folder / "environment", found[0])


def without(machine: Machine, folder: Path, *modules: str) -> Machine:
    """Another machine with the same wheel, from which these modules of ours are gone."""
    _install(folder, machine.wheel)
    [ours] = folder.glob("lib/python*/site-packages/twelvefold")
    for module in modules:
        shutil.rmtree(ours / module)
    return Machine(folder, machine.wheel)


def _build(folder: Path, target: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _install(environment: Path, wheel: Path) -> None:
    """What a .pth names is searched after the environment's own, and its own .pth are not read: so
    the checkout that the tests run from is not there."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "theirs.pth").write_text(f"{_THEIRS}\n", encoding="utf-8")
    install = [str(BIN / "uv"), "pip", "install", "-q", "--offline", "--no-deps", "--no-index"]
    subprocess.run([*install, "--python", environment / "bin/python", wheel], check=True)
