"""The demo's files: the release pipeline, as package data, copied to where it can be changed.

A file that is there already is kept as it is, so that a person may play with the copy.
"""

from pathlib import Path

from twelvefold.exceptions import ConfigurationError

FOLDER = Path("twelvefold-demo")
APP = FOLDER / "app.py"
STORE = FOLDER / "threads.db"
_KINDS = frozenset({".py", ".md", ".yaml"})
_PACKAGE = Path(__file__).parent.parent
_SOURCES = (_PACKAGE / "_demo", _PACKAGE.parent.parent / "examples" / "release_pipeline")


def copy_files(folder: Path = FOLDER) -> list[Path]:
    """Copy what is missing; the files that were there and say something else.

    Raises `ConfigurationError`.
    """
    kept: list[Path] = []
    try:
        folder.mkdir(exist_ok=True)
        for original in _originals():
            copy = folder / original.name
            if not copy.exists():
                copy.write_bytes(original.read_bytes())
            elif copy.read_bytes() != original.read_bytes():
                kept.append(copy)
    except OSError as error:
        raise ConfigurationError(
            f"The demo's files cannot be copied to ./{folder}: {error.strerror}. Run it in a folder"
            " that you may write to."
        ) from error
    return kept


def _originals() -> list[Path]:
    """From the wheel, or from the examples beside an editable checkout."""
    for source in _SOURCES:
        if found := sorted(path for path in _existing(source) if path.suffix in _KINDS):
            return found
    raise ConfigurationError("This installation lacks the demo's files. Install twelvefold again.")


def _existing(source: Path) -> list[Path]:
    return list(source.iterdir()) if source.is_dir() else []
