"""The strict server as a fixture."""

from collections.abc import Iterator

import pytest

from strict.server import StrictServer


@pytest.fixture
def strict_server() -> Iterator[StrictServer]:
    """A server of its own for each test, on a port of this machine, with a model of one seed."""
    server = StrictServer()
    yield server
    server.close()
