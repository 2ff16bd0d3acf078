"""Fixtures that every test may use."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def strict_server() -> Iterator[Any]:
    """A `strict.server.StrictServer` on a port of this machine: three vendors, one random model."""
    from strict.server import StrictServer  # llguidance and three SDKs, for those who ask for it

    server = StrictServer()
    yield server
    server.close()
