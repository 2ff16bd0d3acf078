"""A copy of the package with textual patches: product code has no switch for its guards.

A mutant is a guard in words: `name`, the `file` in the package, the `old` text that is the guard,
the `new` text without it, and the `test` that then fails (a file, or `file::name`).
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import twelvefold

SOURCE = Path(twelvefold.__path__[0])
TESTS = Path(__file__).parents[1]
TEST_S_MAX = 240
FAILED_EXIT = 1


def mutants(file: Path) -> list[dict[str, str]]:
    """The guards that a file of TOML names."""
    return tomllib.loads(file.read_text(encoding="utf-8"))["mutant"]


def check_place(mutant: dict[str, str]) -> None:
    """The guard stands in its file once, and the test that needs it is there."""
    text = (SOURCE / mutant["file"]).read_text(encoding="utf-8")
    file, _, name = mutant["test"].partition("::")

    assert text.count(mutant["old"]) == 1, f"{mutant['file']} no longer holds: {mutant['old']}"
    tests = (TESTS.parent / file).read_text(encoding="utf-8")
    assert not name or f"def {name}(" in tests, f"{file} holds no {name}"


def check_need(mutant: dict[str, str], folder: Path) -> None:
    """The named test fails on a copy of the package that has all but this guard."""
    paths = [mutated([mutant], folder / "source"), TESTS]
    options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'work'}"]

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, mutant["test"]],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=TEST_S_MAX,
    )

    said = ran.stdout[-2000:] + ran.stderr[-2000:]
    assert ran.returncode == FAILED_EXIT, said
    assert "1 failed" in ran.stdout, said


def mutated(patches: list[dict[str, str]], folder: Path) -> Path:
    """The package with the patches applied, in a folder of its own."""
    changed: dict[Path, str] = {}
    for patch in patches:
        file = Path(patch["file"])
        text = changed.get(file) or (SOURCE / file).read_text(encoding="utf-8")
        assert text.count(patch["old"]) == 1, f"{file} no longer holds: {patch['old']}"
        changed[file] = text.replace(patch["old"], patch["new"])
    _link(SOURCE, folder / "twelvefold", set(changed))
    for file, text in changed.items():
        (folder / "twelvefold" / file).write_text(text, encoding="utf-8")
    return folder


def _link(source: Path, copy: Path, changed: set[Path]) -> None:
    """Links to all of `source` that stays as it is, compiled modules included: to compile the
    package anew costs more than most that is run with it."""
    copy.mkdir(parents=True)
    for path in source.iterdir():
        inside = {file.relative_to(path.name) for file in changed if file.parts[0] == path.name}
        if path.name == "__pycache__":
            _link_compiled(path, copy / path.name, {file.stem for file in changed})
        elif inside and path.is_dir():
            _link(path, copy / path.name, inside)
        elif not inside:
            (copy / path.name).symlink_to(path)


def _link_compiled(source: Path, copy: Path, changed: set[str]) -> None:
    """Into a folder of its own: what is compiled of a patched module stays there."""
    copy.mkdir()
    for path in source.glob("*.pyc"):
        if path.name.partition(".")[0] not in changed:
            (copy / path.name).symlink_to(path)
