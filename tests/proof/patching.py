"""A copy of the package with textual patches: product code has no switch for its guards."""

import shutil
from pathlib import Path

import twelvefold

SOURCE = Path(twelvefold.__path__[0])


def mutated(patches: list[dict[str, str]], folder: Path) -> Path:
    """A copy of the package with the patches applied."""
    copy = folder / "twelvefold"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for patch in patches:
        path = copy / patch["file"]
        text = path.read_text()
        assert text.count(patch["old"]) == 1, f"{patch['file']} no longer holds: {patch['old']}"
        path.write_text(text.replace(patch["old"], patch["new"]))
    return folder
