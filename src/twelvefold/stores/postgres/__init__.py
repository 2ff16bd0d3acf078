"""The store in a Postgres database, beside the application's own tables: `twelvefold[postgres]`."""

try:
    import psycopg as _psycopg
except ImportError as error:
    from twelvefold.exceptions import ConfigurationError

    raise ConfigurationError(
        "a Postgres store needs its driver: pip install 'twelvefold[postgres]'."
    ) from error

from twelvefold.stores.postgres.inspection import inspect
from twelvefold.stores.postgres.schema import MIGRATIONS, migrate, script
from twelvefold.stores.postgres.store import PostgresStore

__all__ = ["MIGRATIONS", "PostgresStore", "inspect", "migrate", "script"]

del _psycopg
