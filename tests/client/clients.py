"""Both clients under the same tests: the asynchronous one is driven by a loop of its own."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import httpx

from twelvefold.client import AsyncClient, Client, Retries

KINDS = ("sync", "async")
URL = "http://twelvefold.test"
AT_ONCE = Retries(wait_first_s=0.0)

Answer = Callable[[httpx.Request], httpx.Response]


class Blocking:
    """An `AsyncClient` for tests without a loop."""

    def __init__(self, client: AsyncClient) -> None:
        self._client, self._runner = client, asyncio.Runner()

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            made = verb(*args, **kwargs)
            if inspect.iscoroutine(made):
                return self._runner.run(made)
            return self._each(made)

        return call

    def _each(self, found: AsyncGenerator[Any]) -> Iterator[Any]:
        async def one() -> list[Any]:
            return [found_one async for found_one in _first(found)]

        try:
            while one_more := self._runner.run(one()):
                yield one_more[0]
        finally:
            self._runner.run(found.aclose())

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


async def _first(found: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
    try:
        yield await anext(found)
    except StopAsyncIteration:
        return


def client_of(kind: str, url: str = URL, *, answer: Answer | None = None, **options: Any) -> Any:
    """A client, over a socket or with answers that are made up."""
    options = {"retries": AT_ONCE} | options
    if kind == "sync":
        http = answer and httpx.Client(transport=httpx.MockTransport(answer))
        return Client(url, http=http, **options)
    made = answer and httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Blocking(AsyncClient(url, http=made, **options))
