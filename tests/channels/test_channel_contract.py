"""Every channel under the contract of all channels."""

from collections.abc import Iterator

import pytest
from wires import WIRES, Wire

from channels.contract import *  # noqa: F403

pytestmark = pytest.mark.anyio


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with WIRES[request.param]() as wire:
        yield wire
