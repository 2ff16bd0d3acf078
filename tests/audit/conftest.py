"""Both stores that lie in a database, with real logs and somebody who may write there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from logs import Raw, raw_of, write

from twelvefold.stores import open_store

THREADS = {"t0": 9, "t1": 12, "t2": 16}
"""Threads, and how many moves each has seen."""


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return str(tmp_path / "agents.db")
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url: str) -> Iterator[Any]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def logs(store: Any) -> list[str]:
    """The ids of real threads."""
    for seed, (id, moves) in enumerate(THREADS.items()):
        write(store, id, seed=seed, moves=moves)
    return list(THREADS)


@pytest.fixture
def raw(kind: str, store: Any, url: str) -> Iterator[Raw]:
    opened = raw_of(kind, store, url)
    yield opened
    opened.db.close()
