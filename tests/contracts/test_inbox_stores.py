"""The inbox of every store under the contract of all."""

import pytest

from contracts.inbox import *  # noqa: F403
from twelvefold.stores import open_store
from twelvefold.testing import MemoryStore


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request, tmp_path):
    match request.param:
        case "memory":
            store = MemoryStore()
        case "sqlite":
            store = open_store(str(tmp_path / "agents.db"))
        case _:
            store = open_store(request.getfixturevalue("postgres_url"))
    yield store
    store.close()
