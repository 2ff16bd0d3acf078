"""What was ejected from twelvefold: from here on twelvefold itself uses these copies, too.

Import it before anything of twelvefold. The command line and pytest do: pyproject.toml says so.
"""

import sys
from importlib import import_module
from pkgutil import walk_packages

import twelvefold

MODULES: tuple[str, ...] = ()  # each after those that it imports


def use(name: str) -> None:
    """Let `twelvefold.<name>`, and what is in it, be the copy that lies here."""
    package = import_module(f"{__name__}.{name}")
    inside = walk_packages(package.__path__, f"{package.__name__}.")
    for ours in [package.__name__, *(found.name for found in inside)]:
        theirs = "twelvefold" + ours.removeprefix(__name__)
        if theirs in sys.modules:
            raise ImportError(f"{theirs} is loaded already: import {__name__} before twelvefold.")
        sys.modules[theirs] = import_module(ours)
    setattr(twelvefold, name, package)


for name in MODULES:
    use(name)
