"""Fixtures that every test may use."""

import gc
import os
import signal
from collections.abc import Iterator

import pytest

from postgres.cluster import Cluster, NoPostgres, cluster, do_without

# A shell ignores SIGINT for what it runs in the background, and children would inherit that: Ctrl-C
# would reach none of those that the tests stop by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


gc.disable()  # until all is loaded: what comes now stays


def pytest_collection_finish() -> None:
    """No later collection looks through the tests and their libraries, which took a quarter of the
    time of whatever makes many objects."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A Postgres server; without one, a skip with the reason, and a failure where `CI` is set."""
    try:
        with cluster() as found:
            yield found
    except NoPostgres as missing:
        do_without(missing, in_ci=bool(os.environ.get("CI")))


@pytest.fixture
def empty_postgres_url(postgres: Cluster) -> Iterator[str]:
    """A schema with nothing in it."""
    with postgres.log(migrated=False) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """A fresh log, in a schema of its own."""
    with postgres.log() as url:
        yield url
