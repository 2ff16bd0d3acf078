"""One log on a server, opened twice."""

from collections.abc import Iterator

import pytest

from twelvefold.stores.postgres import PostgresStore


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    store = PostgresStore(postgres_url)
    yield store
    store.close()


@pytest.fixture
def other(store: PostgresStore) -> Iterator[PostgresStore]:
    """The same log in another process, as far as Postgres can tell."""
    other = PostgresStore(store.url)
    yield other
    other.close()
