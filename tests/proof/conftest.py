"""Where attacks and random histories take place: a fresh log on each real store."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from places import on_postgres
from reporting import proof
from victims import Place

from postgres.cluster import Cluster

__all__ = ["place", "proof"]

STORES = ("sqlite", "postgres")


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        if request.param == "postgres":
            cluster: Cluster = request.getfixturevalue("postgres")
            stack.enter_context(on_postgres(cluster.url))
        place = stack.enter_context(Place(tmp_path))
        yield place
