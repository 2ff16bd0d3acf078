"""The statements of `queries.sql`, by name, and the connection that runs them."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from twelvefold.tables.keys import KEY_STATEMENTS, with_dollars
from twelvefold.tables.meters import METER_STATEMENTS
from twelvefold.tables.queries import parse_queries
from twelvefold.tables.repeats import REPEAT_STATEMENTS
from twelvefold.tables.rows import Row

SQL: Mapping[str, str] = parse_queries(
    files("twelvefold.stores.postgres").joinpath("queries.sql").read_text(encoding="utf-8")
) | with_dollars({**KEY_STATEMENTS, **METER_STATEMENTS, **REPEAT_STATEMENTS})


class Named:
    """A connection that runs statements by their names, however its owner reads rows."""

    __slots__ = ("_writing", "raw")

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self.raw = raw
        self._writing: psycopg.RawCursor[Row] | None = None

    def rows(self, name: str, parameters: Any = ()) -> list[Row]:
        return self._cursor().execute(_query(name), parameters).fetchall()

    def write(self, name: str, parameters: Any = ()) -> None:
        self._cursor().execute(_query(name), parameters)

    def written(self, name: str, parameters: Any = ()) -> int:
        """How many rows that were."""
        if self._writing is None:  # it holds no rows, and to make one takes as long as to use it
            self._writing = self._cursor()
        return self._writing.execute(_query(name), parameters).rowcount

    def write_many(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        """Statement `<name>s` takes a list per column."""
        if len(rows) == 1:
            return self.write(name, rows[0])
        self.write(f"{name}s", [list(column) for column in zip(*rows, strict=True)])

    def _cursor(self) -> "psycopg.RawCursor[Row]":
        return psycopg.RawCursor(self.raw, row_factory=tuple_row)


def _query(name: str) -> bytes:
    return _BYTES[name]


_BYTES = {name: text.encode() for name, text in SQL.items()}
