"""How one command of the command line ended."""

import json
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """Its exit code, and what it wrote."""

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
