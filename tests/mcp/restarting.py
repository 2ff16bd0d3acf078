"""A proxy in front of a server that is killed with SIGKILL after each call, and started anew.

Whatever a client learns, it learns from a process that has seen nothing but its own start. A call
lasts from its request to its answer, which may come by another stream; what a client sends or hears
meanwhile belongs to it. When none is left, the server is killed, with the streams that are open.
"""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from server.known import PATIENCE_S

CONFORMANCE = Path(__file__).parent / "conformance"
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}
EVENTS = "text/event-stream"
SITTING = "mcp-session-id"
CLOSING_S = 1
NO_END = httpx.Timeout(PATIENCE_S, read=None)

Call = tuple[str | None, str]
"""The session and the id of a request."""


class Restarting:
    """`kills`: how often the server was killed; without `killing` it serves on."""

    def __init__(self, store: Path, port: int, *, killing: bool) -> None:
        self.upstream, self.killing, self.kills = f"http://127.0.0.1:{port}", killing, 0
        self._up, self._busy, self._calls = asyncio.Lock(), 0, set[Call]()
        command = [sys.executable, CONFORMANCE / "serve_killed.py", store, str(port)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._tell("start")

    def _tell(self, what: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Request(scope, receive)
        body = await asked.body()
        async with httpx.AsyncClient(timeout=NO_END) as client:
            request = client.build_request(
                asked.method,
                self.upstream + asked.url.path,
                content=body,
                headers=asked.headers.raw,
            )
            passing = self._listened if asked.method == "GET" else self._called
            await passing(asked, client, request, send)

    async def _listened(
        self, asked: Request, client: httpx.AsyncClient, request: httpx.Request, send: Send
    ) -> None:
        """A stream for whatever comes: one that is open is cut by a kill."""
        while True:
            async with self._up:
                """Whoever comes during a kill waits."""
            try:
                found = await client.send(request, stream=True)
            except httpx.TransportError:  # killed before it was open
                continue
            await Passed(self, asked, found).on(send)
            return

    async def _called(
        self, asked: Request, client: httpx.AsyncClient, request: httpx.Request, send: Send
    ) -> None:
        async with self._up:
            self._busy += 1
        begun = {(asked.headers.get(SITTING), id) for id in ids_in(request.content, asks=True)}
        self._calls |= begun
        try:
            passed = Passed(self, asked, await client.send(request, stream=True))
            await passed.on(send)
            if not passed.goes_on:
                self._calls -= begun
        finally:
            self._busy -= 1
            await self._killed_between_calls()

    async def answered(self, calls: set[Call]) -> None:
        """By whatever stream: the last answer is what the server is killed after."""
        if self._calls & calls:
            self._calls -= calls
            await self._killed_between_calls()

    async def _killed_between_calls(self) -> None:
        async with self._up:
            if self.killing and not self._busy and not self._calls:
                await asyncio.to_thread(self._tell, "kill")
                await asyncio.to_thread(self._tell, "start")
                self.kills += 1
                async with httpx.AsyncClient(timeout=NO_END) as client:
                    await client.get(f"{self.upstream}/mcp")  # it is up: some answers have 0.5 s

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Passed:
    """One answer on its way to the client. `goes_on`: its stream ended, and nobody left."""

    def __init__(self, behind: Restarting, asked: Request, found: httpx.Response) -> None:
        self.behind, self.asked, self.found, self.goes_on = behind, asked, found, False

    async def on(self, send: Send) -> None:
        headers = {n: v for n, v in self.found.headers.items() if n.lower() not in HOP}
        passed = StreamingResponse(self._parts(), self.found.status_code, headers)
        try:
            await passed(self.asked.scope, self.asked.receive, send)
        finally:
            await self.found.aclose()

    async def _parts(self) -> AsyncIterator[bytes]:
        sitting, streams = self.asked.headers.get(SITTING), EVENTS in self.kind
        with suppress(httpx.TransportError):  # cut by a kill
            async for line in self._lines():
                yield line
                if streams and line.startswith(b"data:"):
                    answered = {(sitting, id) for id in ids_in(line[5:], asks=False)}
                    await self.behind.answered(answered)
        self.goes_on = streams

    async def _lines(self) -> AsyncIterator[bytes]:
        rest = b""
        async for part in self.found.aiter_raw():
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                yield line + b"\n"
        if rest:
            yield rest

    @property
    def kind(self) -> str:
        return self.found.headers.get("content-type", "")


def ids_in(text: bytes, *, asks: bool) -> set[str]:
    """The id of a request (`asks`), or of an answer."""
    try:
        said = json.loads(text)
    except ValueError:
        return set()
    found = isinstance(said, dict) and "id" in said and ("method" in said) is asks
    return {json.dumps(said["id"])} if found else set()


@contextmanager
def restarting(store: Path, port: int, *, killing: bool = True) -> Iterator[tuple[str, Restarting]]:
    """The URL of the proxy, and the server behind it."""
    behind = Restarting(store, port, killing=killing)
    with socket.create_server(("127.0.0.1", 0)) as listens:
        config = uvicorn.Config(
            behind, log_level="error", lifespan="off", timeout_graceful_shutdown=CLOSING_S
        )
        front = uvicorn.Server(config)
        thread = threading.Thread(target=front.run, args=[[listens]])
        thread.start()
        try:
            yield f"http://127.0.0.1:{listens.getsockname()[1]}/mcp", behind
        finally:
            front.should_exit = True
            thread.join()
            behind.close()
