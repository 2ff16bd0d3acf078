"""Every store under the contract of all stores."""

import pytest

from contracts.store import *  # noqa: F403
from twelvefold.stores import open_store
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio


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
