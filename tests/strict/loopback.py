"""HTTP/1.1 on the loopback interface, in a thread of its own: requests in, replies out, byte for
byte.

One function answers all requests, one after the other, so a seeded answer is the same each time.
A reply can be slow, stop in the middle of a body, or never come.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, TypeVar

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 32 * 1024 * 1024
PATIENCE_S = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; the names of `headers` are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. Several `chunks` are sent as they are made, `pause_s` before each.

    `cut_after` chunks the connection is torn down; 0 sends the head and nothing else.
    """

    status: int = 200
    chunks: Sequence[bytes] = (b"",)
    headers: dict[str, str] = field(default_factory=dict[str, str])
    pause_s: float = 0.0
    cut_after: int | None = None


Answer = Callable[[Request], Reply]


class Loopback:
    """A server on a free port of 127.0.0.1. `url` has no slash at its end."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="strict", daemon=True)
        self._thread.start()
        self._server = self._in_thread(
            asyncio.start_server(self._connected, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _in_thread(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(PATIENCE_S)

    def close(self) -> None:
        """Tear all connections down. Nothing of this server is left afterwards."""
        self._in_thread(self._closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _closed(self) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its reply; whether the connection goes on."""
        request = await _read(reader)
        reply = self._answer(request)
        whole = len(reply.chunks) == 1 and reply.cut_after is None
        writer.write(_head(reply, length=len(reply.chunks[0]) if whole else None))
        for number, chunk in enumerate(reply.chunks):
            if number == reply.cut_after:
                await writer.drain()
                return False
            if reply.pause_s:
                await writer.drain()
                await asyncio.sleep(reply.pause_s)
            writer.write(chunk if whole else b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if not whole:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.split("\r\n")
    method, path, _ = line.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (one.partition(":") for one in rest if one)
    }
    length = int(headers.get("content-length", "0"))
    assert length <= BODY_BYTES_MAX, "a test sends more than a vendor takes"
    return Request(method, path, headers, await reader.readexactly(length))


def _head(reply: Reply, *, length: int | None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    given = {"Content-Type": "application/json", "Date": formatdate(usegmt=True)} | reply.headers
    lines = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}", framing]
    lines += [f"{name}: {value}" for name, value in given.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _phrase(status: int) -> str:
    known = {one.value for one in HTTPStatus}
    return HTTPStatus(status).phrase if status in known else "Overloaded"  # 529 is Anthropic's own
