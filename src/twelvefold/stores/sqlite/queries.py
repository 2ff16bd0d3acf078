"""The statements of `queries.sql`, by name."""

import re
from collections.abc import Mapping
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def parse_queries(text: str) -> dict[str, str]:
    """Each section `-- name: x` without its comments, so that SQLite's own traces stay short."""
    _, *parts = _NAME.split(text)
    return {name: _code(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _code(body: str) -> str:
    lines = (line for line in body.splitlines() if line and not line.startswith("--"))
    return "\n".join(lines).rstrip(";")


SQL: Mapping[str, str] = parse_queries(
    files("twelvefold.stores.sqlite").joinpath("queries.sql").read_text(encoding="utf-8")
)
