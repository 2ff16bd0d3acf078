"""Every store that runs without a server, under the contract of all stores."""

import pytest

from contracts.store import *  # noqa: F403
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.testing import MemoryStore

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "agents.db")
    yield store
    store.close()
