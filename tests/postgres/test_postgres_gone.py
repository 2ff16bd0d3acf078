"""A store that was dropped and not closed leaves no connection behind."""

import gc

from twelvefold.stores.postgres import PostgresStore


def test_a_store_that_nobody_holds_any_more_closes_its_connections(postgres_url: str):
    for _ in range(20):
        store = PostgresStore(postgres_url)
        store.threads()
        store.itself = store  # pyright: ignore  # so that only a collection finds it
        del store

        gc.collect()  # psycopg warns of an open connection, and a warning is an error here
