"""A project's ejected modules, in place before anything of twelvefold is loaded that uses them.

Called by what starts a process: the command line, the pytest plugin, the children of proofs.
"""

import sys
from importlib import import_module
from pathlib import Path

from twelvefold.exceptions import ConfigurationError

EJECTED = "ejected"


def use_ejected(folder: Path) -> None:
    """Load what the nearest pyproject.toml names as `ejected`; nothing where it names nothing.

    Raises `ConfigurationError`.
    """
    above = (folder, *folder.parents)
    project = next((p for p in (one / "pyproject.toml" for one in above) if p.is_file()), None)
    name = None if project is None else _named(project)
    if project is None or name is None or name in sys.modules:
        return
    root = str(project.parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"{project} names {name} as ejected, which cannot be loaded: {error}"
        ) from error


def _named(project: Path) -> str | None:
    try:
        text = project.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None  # whoever needs more of it says what is wrong
    if EJECTED not in text:
        return None  # tomllib takes longer to load than the rest here
    import tomllib

    try:
        return tomllib.loads(text).get("tool", {}).get("twelvefold", {}).get(EJECTED)
    except ValueError:
        return None
