"""Statements by name, read from a `.sql` file that people can read too."""

import re
from typing import Any, Protocol

from twelvefold.tables.rows import Row

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class Database(Protocol):
    """An open connection with the statements of its store; `raw` is what the driver calls it."""

    raw: Any

    def rows(self, name: str, parameters: Any = ()) -> list[Row]: ...

    def write(self, name: str, parameters: Any = ()) -> None: ...

    def write_many(self, name: str, rows: list[tuple[Any, ...]]) -> None: ...


def parse_queries(text: str) -> dict[str, str]:
    """Each section `-- name: x` without its comments, so that a database's own logs stay short."""
    _, *parts = _NAME.split(text)
    return {name: _code(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _code(body: str) -> str:
    lines = (line for line in body.splitlines() if line and not line.startswith("--"))
    return "\n".join(lines).rstrip(";")
