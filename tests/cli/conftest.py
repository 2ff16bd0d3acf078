"""A folder with the small application in it, and the command line run there."""

import shutil
import sys
from pathlib import Path

import pytest
from commands import APPS, Cli, Ran

from twelvefold.cli import call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `app.py`."""
    shutil.copy(APPS / "deploys.py", tmp_path / "app.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # tests say what a command leaves there
    for name in ("TWELVEFOLD_APP", "TWELVEFOLD_STORE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("run", "bot", "deploy v1")`, in this process; `as` is a person who may decide."""

    def run(*args: str) -> Ran:
        with monkeypatch.context() as patch:
            # Each command is a process of its own outside of tests: it leaves no module behind.
            patch.setattr(sys, "path", list(sys.path))
            patch.delitem(sys.modules, "app", raising=False)
            code = call(args)
            sys.modules.pop("app", None)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
