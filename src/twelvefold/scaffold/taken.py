"""Where no project is made: over something that is there, or inside another project."""

import os
from pathlib import Path

from twelvefold.exceptions import AlreadyThere, NotWritable

_OURS_NOT = frozenset({".git"})
"""What an empty folder may hold."""
_MARKS = {"app.py": "twelvefold", "pyproject.toml": "[tool.twelvefold]"}
"""What a project is known by: files, and what is in them."""


def refuse_taken(folder: Path) -> None:
    """Raises `AlreadyThere` when there is anything that a project could hide or mix with."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise AlreadyThere(f"{folder} is there, and no folder. Name another one.")
    try:
        there = sorted(set(os.listdir(folder)) - _OURS_NOT)
    except OSError as error:
        raise NotWritable(f"{folder} cannot be read: {error.strerror}.") from error
    if there:
        many = f"{there[0]} and {len(there) - 1} more" if len(there) > 1 else there[0]
        raise AlreadyThere(f"{folder} is not empty: it holds {many}. Name another folder.")


def refuse_nested(folder: Path) -> None:
    """Raises `AlreadyThere` when a folder above is a project of ours: it has an application, or
    says where it is. One that only depends on twelvefold may well hold its agents in a folder."""
    for above in folder.absolute().parents:
        for name, mark in _MARKS.items():
            if mark in _text(above / name):
                raise AlreadyThere(
                    f"{folder} would be a project inside the project {above}, as its {name} says:"
                    " each has a log of its own. Name a folder elsewhere, or give --inside to make"
                    " it there all the same. `twelvefold add` adds to the project that is there."
                )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
