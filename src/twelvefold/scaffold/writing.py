"""Files for a person's project: planned, shown as a diff, then all of them written or none.

A file that is there and says something else is never replaced unless `overwrite` says so. An edit
is different: it was made from the text that is there, and is refused when that text has changed.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from twelvefold.exceptions import AlreadyThere, NotWritable

UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class Change:
    """What one file is to hold. `before`: what it holds now; None when it is not there."""

    path: Path
    text: str
    before: str | None = None
    edits: bool = False  # made from `before`: needs no leave to replace it

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_same(self) -> bool:
        return self.before == self.text

    @property
    def replaces(self) -> bool:
        """Whether words of somebody else would be lost."""
        return not (self.is_new or self.is_same or self.edits)


def changes(folder: Path, files: Mapping[str, str]) -> list[Change]:
    """What writing these texts, by their paths below `folder`, would change. Reads only.

    Raises `AlreadyThere` where something that is not a text file is in the way.
    """
    return [Change(folder / name, text, read(folder / name)) for name, text in files.items()]


def edit(path: Path, text: str) -> Change:
    """Let `path` hold `text`, which was made from what it holds now."""
    return Change(path, text, read(path), edits=True)


def read(path: Path) -> str | None:
    """Its text with the ends of lines as they are; None when there is no such file."""
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        raise AlreadyThere(
            f"{path} is there, and not a plain file. Name another place, or move it away; nothing"
            " was written."
        )
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise AlreadyThere(f"{path} is there, and not UTF-8 text; nothing was written.") from error
    except OSError as error:
        raise NotWritable(f"{path} cannot be read: {error.strerror}.") from error


def diff(planned: Iterable[Change], folder: Path) -> Iterator[str]:
    """The lines of a unified diff, as `git apply` takes them, with paths relative to `folder`."""
    for change in planned:
        name = _shown(change.path, folder)
        lines = unified_diff(
            (change.before or "").splitlines(keepends=True),
            change.text.splitlines(keepends=True),
            "/dev/null" if change.is_new else f"a/{name}",
            f"b/{name}",
        )
        for line in lines:
            yield line.rstrip("\n")
            if not line.endswith("\n"):
                yield "\\ No newline at end of file"


def write(planned: Iterable[Change], folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write what differs; the paths that were written. All of them are written, or none.

    Raises `AlreadyThere` when a file would be replaced, or changed since it was planned;
    `NotWritable` when the disk or the folder refuses.
    """
    todo = [change for change in planned if not change.is_same]
    if kept := [change for change in todo if change.replaces and not overwrite]:
        names = ", ".join(_shown(change.path, folder) for change in kept)
        raise AlreadyThere(
            f"{names}: there already, and not what would be written. Look with --diff, then give"
            " --overwrite or move it away; nothing was written."
        )
    for change in todo:
        if read(change.path) != change.before:
            name = _shown(change.path, folder)
            raise AlreadyThere(f"{name} has changed meanwhile; nothing was written. Do it again.")
    _write_all(todo)
    return [change.path for change in todo]


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _write_all(todo: list[Change]) -> None:
    made: list[Path] = []  # folders, the outermost first
    done: list[Change] = []
    try:
        for change in todo:
            made += _folders(change.path.parent)
            _write_beside(change)
        for change in todo:
            _unfinished(change.path).replace(change.path)
            done.append(change)
    except OSError as error:
        _take_back(todo, done, made)
        raise NotWritable(
            f"{error.filename or todo[0].path} cannot be written: {error.strerror or error}."
            " Nothing was written."
        ) from error


def _folders(folder: Path) -> list[Path]:
    """Make the folders that are missing; those that were made."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _write_beside(change: Change) -> None:
    beside = _unfinished(change.path)
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.write(change.text)
        file.flush()
        os.fsync(file.fileno())
    if not change.is_new:
        shutil.copymode(change.path, beside)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}{UNFINISHED}")


def _take_back(todo: list[Change], done: list[Change], made: list[Path]) -> None:
    """Leave things as they were, as far as the disk lets us."""
    for change in todo:
        with suppress(OSError):
            _unfinished(change.path).unlink(missing_ok=True)
    for change in done:
        with suppress(OSError):
            if change.before is None:
                change.path.unlink()
            else:
                change.path.write_text(change.before, encoding="utf-8", newline="")
    for folder in reversed(made):
        with suppress(OSError):
            folder.rmdir()
