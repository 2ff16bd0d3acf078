"""One attack alone, against whatever source comes first on the path.

`python attacking.py <file>:<attack> <folder> <arguments as JSON>` exits 0 when the attack fails,
and SUCCEEDED_EXIT, saying what the ledger holds, when it succeeds.
"""

import importlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

from victims import Broken, Place

SUCCEEDED_EXIT = 42


def attack(name: str, folder: Path, arguments: dict[str, Any]) -> None:
    """Raises `Broken` when it succeeds."""
    file, _, test = name.partition(":")
    with Place(folder) as place:
        getattr(importlib.import_module(file), test)(place, **arguments)


def main(name: str, folder: str, arguments: str = "{}") -> int:
    logging.disable(logging.CRITICAL)  # agents that park are what a refused attack leaves
    try:
        attack(name, Path(folder), json.loads(arguments))
    except Broken as broken:
        print(broken, file=sys.stderr)  # noqa: T201
        return SUCCEEDED_EXIT
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
