"""The strict server as a fixture."""

from collections.abc import Iterator

import pytest

from strict.certificates import one_certificate
from strict.server import StrictServer

__all__ = ["one_certificate", "strict_server"]


@pytest.fixture
def strict_server() -> Iterator[StrictServer]:
    """A server of its own for each test, on a port of this machine, with a model of one seed."""
    server = StrictServer()
    yield server
    server.close()
