"""A new project: the files of a template, as they stand, with the project's name in place of one.

A template is a project that works, named `my-agent`. Everything is written to a folder of its own
first, and put in place when it is whole.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from twelvefold.exceptions import ConfigurationError, NotWritable
from twelvefold.scaffold.taken import refuse_taken

NAME = "my-agent"
"""What templates are called, wherever a name is needed."""
NAME_CHARS_MAX = 64
PERSON = "anna"
"""Who is asked in every template."""


@dataclass(frozen=True, slots=True)
class Template:
    """`agent` is launched with `text`, and then a person is asked. `needs`: the modules that the
    first commands load, and what brings them."""

    what: str
    agent: str
    text: str
    needs: Mapping[str, str]


_SERVED = {"uvicorn": "'twelvefold[server]'", "pytest": "pytest"}
TEMPLATES: Mapping[str, Template] = {
    "deploybot": Template(
        "deploys that people approve, each of them once",
        "deploybot",
        "deploy the newest release",
        _SERVED,
    ),
    "fastapi": Template(
        "a product with an API, and an agent in it",
        "refunds",
        "order 1007: it came in pieces",
        {**_SERVED, "httpx2": "httpx2"},
    ),
    "minimal": Template(
        "one tool that a person approves, and done",
        "bot",
        "tell the team that the release is out",
        _SERVED,
    ),
}
"""By their names; the first is the default."""

_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")
_FOLDER = Path(__file__).parent / "templates"
# What runs of a template leave in it, where twelvefold is a checkout.
_LEFT_BEHIND = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".twelvefold"})


def files_of(template: str, name: str = NAME) -> dict[str, str]:
    """The texts of a new project, by their paths. Raises `ConfigurationError`."""
    if template not in TEMPLATES:
        raise ConfigurationError(f"There is no template {template!r}: {', '.join(TEMPLATES)}.")
    root = _FOLDER / template
    found = {path.relative_to(root).as_posix(): _text(path) for path in sorted(_files(root))}
    if not found:
        raise ConfigurationError("This installation lacks the templates. Install twelvefold again.")
    return {path: text.replace(NAME, name) for path, text in found.items()}


def name_of(folder: Path) -> str:
    """The name of a project in this folder. Raises `ConfigurationError`."""
    name = folder.resolve().name
    if len(name) > NAME_CHARS_MAX or not _NAME.fullmatch(name) or name.lower() == "twelvefold":
        raise ConfigurationError(
            f"{name!r} cannot be the name of a project: a name has up to {NAME_CHARS_MAX} letters,"
            " digits, '.', '-' and '_', begins and ends with a letter or digit, and is not ours."
        )
    return name


def create(folder: Path, template: str) -> list[str]:
    """Make the project; its files. An empty folder may be there, with a `.git` in it or not.

    Raises `ConfigurationError`, `AlreadyThere` and `NotWritable`, with nothing written.
    """
    files = files_of(template, name_of(folder))
    refuse_taken(folder)
    if not (above := folder.absolute().parent).is_dir():
        raise NotWritable(f"{folder} cannot be made: there is no folder {above}. Make that first.")
    try:
        if folder.exists():
            _fill(folder, files)
        else:
            _make(folder, files)
    except OSError as error:
        raise NotWritable(
            f"{folder} cannot be made: {error.strerror or error}. Name a folder that you may write"
            " to; nothing was written."
        ) from error
    return list(files)


def _make(folder: Path, files: Mapping[str, str]) -> None:
    """Beside it, then renamed: it is whole, or not there."""
    with _scratch(folder.absolute().parent) as scratch:
        _write(scratch, files)
        scratch.chmod(0o777 & ~_umask())  # a temporary folder is for its owner alone
        scratch.rename(folder)


def _fill(folder: Path, files: Mapping[str, str]) -> None:
    """Inside it, then moved up: its parent may belong to somebody else."""
    moved: list[Path] = []
    with _scratch(folder) as scratch:
        _write(scratch, files)
        try:
            for entry in sorted(scratch.iterdir()):
                place = folder / entry.name
                if os.path.lexists(place):
                    raise FileExistsError(17, f"{entry.name} is there by now")
                entry.rename(place)
                moved.append(place)
        except OSError:
            for place in moved:
                shutil.rmtree(place) if place.is_dir() else place.unlink()
            raise


@contextmanager
def _scratch(parent: Path) -> Generator[Path]:
    """A folder that is gone afterwards, unless it was renamed."""
    path = Path(tempfile.mkdtemp(prefix=".twelvefold-new-", dir=parent))
    try:
        yield path
    finally:
        with suppress(OSError):
            shutil.rmtree(path)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def _umask() -> int:
    """There is no way to ask without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_BEHIND]
        yield from (Path(folder) / name for name in names)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
