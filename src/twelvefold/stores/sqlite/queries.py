"""The statements of `queries.sql`, by name, and the connection that runs them."""

import sqlite3
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from twelvefold.tables.keys import KEY_STATEMENTS
from twelvefold.tables.meters import METER_STATEMENTS
from twelvefold.tables.queries import parse_queries
from twelvefold.tables.repeats import REPEAT_STATEMENTS
from twelvefold.tables.rows import Row

SQL: Mapping[str, str] = parse_queries(
    files("twelvefold.stores.sqlite").joinpath("queries.sql").read_text(encoding="utf-8")
) | {**KEY_STATEMENTS, **METER_STATEMENTS, **REPEAT_STATEMENTS}


class Named:
    """A connection that runs statements by their names."""

    __slots__ = ("raw",)

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    def rows(self, name: str, parameters: Any = ()) -> list[Row]:
        return self.raw.execute(SQL[name], parameters).fetchall()

    def write(self, name: str, parameters: Any = ()) -> None:
        self.raw.execute(SQL[name], parameters)

    def write_many(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        self.raw.executemany(SQL[name], rows)
