"""A server of its own on loopback, and a reader of streams that may be cut off anywhere."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import httpx
import uvicorn
from fastapi import FastAPI, Request

from twelvefold.app import App
from twelvefold.server import create_app
from twelvefold.server.principal import Principal
from twelvefold.server.streams.feed import Feed

PATIENCE_S = 60.0
OPEN = {"requests_per_minute_max": 1_000_000}
ACCEPT = {"Accept": "text/event-stream"}


class Sent(NamedTuple):
    """One message of a stream."""

    id: str
    event: str
    data: Any


class ByHeader:
    """Whoever the header says, with the scopes it says."""

    async def principal(self, request: Request) -> Principal | None:
        tenant = request.headers.get("x-tenant", "default")
        given = request.headers.get("x-scopes", "threads:read contacts:read")
        if tenant == "nobody":
            return None
        scopes: Any = frozenset(given.split())
        return Principal("anna", person="anna", tenant=tenant, scopes=scopes)


class Served:
    """A server in a thread: where it listens, and its feed."""

    def __init__(self, asgi: FastAPI, listener: socket.socket) -> None:
        self.feed: Feed = asgi.state.serving.feed
        self._listener = listener
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(asgi, log_level="error", lifespan="off")
        self._server, self._loop = uvicorn.Server(config), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """As `twelvefold serve` does: streams end, then the server."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.feed.drain)
            self._server.should_exit = True
            self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, "it never came to be"
            time.sleep(0.01)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve([self._listener]))


def lines(response: httpx.Response) -> Iterator[str]:
    """Split at line feeds only: JSON may hold what Unicode calls a line break."""
    rest = b""
    for piece in response.iter_raw():
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode() for line in whole)


def messages(response: httpx.Response, comments: list[str] | None = None) -> Iterator[Sent]:
    fields: dict[str, str] = {}
    for line in lines(response):
        name, _, value = line.partition(": ")
        if line.startswith(":"):
            if comments is not None:
                comments.append(line[2:])
        elif line:
            fields[name] = value
        else:
            if "data" in fields:
                yield Sent(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
            fields = {}


@contextmanager
def streamed(
    url: str, path: str, *, last_id: int | None = None, **headers: str
) -> Generator[httpx.Response]:
    more = {} if last_id is None else {"Last-Event-ID": str(last_id)}
    given = ACCEPT | more | {name.replace("_", "-"): value for name, value in headers.items()}
    with (
        httpx.Client(base_url=url, timeout=PATIENCE_S) as client,
        client.stream("GET", path, headers=given) as response,
    ):
        yield response


@contextmanager
def serve(app: App, *, port: int = 0, **options: Any) -> Generator[Served]:
    """uvicorn on loopback, on a free port."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(256)
        served = Served(create_app(app, access=ByHeader(), **OPEN, **options), listener)
        try:
            yield served
        finally:
            served.stop()
