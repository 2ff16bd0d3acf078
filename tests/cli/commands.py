"""What tests of the command line share: the applications, and how one command ended.

Not in conftest.py: in a run of several folders, that name is the one of another folder.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

APPS = Path(__file__).parent / "apps"


class Ran(NamedTuple):
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def documents(self) -> list[Any]:
        """The JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Ran]
