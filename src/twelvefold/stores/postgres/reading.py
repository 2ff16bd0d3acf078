"""How the store reads: on any free connection, and once more on a fresh one when that was dead."""

from typing import Any

import psycopg

from twelvefold.stores.postgres.connections import Pool
from twelvefold.stores.postgres.failures import is_no_text, translated


class Reading:
    """Called with the name of a statement, from any thread, it gives the rows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __call__(self, name: str, parameters: Any = ()) -> list[Any]:
        try:
            return self._rows(name, parameters)
        except (UnicodeEncodeError, psycopg.Error) as error:
            if is_no_text(error):
                return []
            raise translated(error, self._pool.name) from error

    def _rows(self, name: str, parameters: Any) -> list[Any]:
        with self._pool.connection() as db:
            try:
                return db.rows(name, parameters)
            except psycopg.Error:
                if not db.raw.closed:
                    raise
        with self._pool.connection(fresh=True) as db:  # the server was started anew, perhaps
            return db.rows(name, parameters)
