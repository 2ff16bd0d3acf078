"""What is asked of the server while it is busy with the same goes to it in one statement."""

import asyncio
from collections.abc import Sequence

import pytest

from twelvefold.engine.procrastinate.together import Together

pytestmark = pytest.mark.anyio


class Server:
    """Writes what it is let write, and fails for the groups with a number that is bad."""

    def __init__(self, *, bad: int | None = None) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.let_go = asyncio.Event(), asyncio.Event()
        self._bad = bad

    async def write(self, numbers: Sequence[int]) -> None:
        self.groups.append(list(numbers))
        self.begun.set()
        await self.let_go.wait()
        if self._bad in numbers:
            raise ConnectionError("gone")


async def test_what_comes_up_meanwhile_is_the_next_group():
    server = Server()
    together = Together(server.write)
    asked = [asyncio.ensure_future(together.add(1))]
    await server.begun.wait()
    asked += [asyncio.ensure_future(together.add(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in asked)
    server.let_go.set()
    await asyncio.gather(*asked)

    assert server.groups == [[1], [2, 3, 4]]


async def test_each_hears_of_the_error_of_its_own_group():
    server = Server(bad=3)
    together = Together(server.write)
    asked = [asyncio.ensure_future(together.add(1))]
    await server.begun.wait()
    asked += [asyncio.ensure_future(together.add(number)) for number in (2, 3)]
    server.let_go.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)

    assert outcomes[0] is None
    assert [str(error) for error in outcomes[1:]] == ["gone", "gone"]
    await together.add(5)
    assert server.groups[-1] == [5]


async def test_who_does_not_wait_any_more_holds_up_nobody():
    server = Server()
    together = Together(server.write)
    first, second = (asyncio.ensure_future(together.add(number)) for number in (1, 2))
    await server.begun.wait()
    first.cancel()
    server.let_go.set()
    await second

    assert first.cancelled()
    assert server.groups == [[1, 2]]
