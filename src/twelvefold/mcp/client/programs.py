"""A server that is a program: started, spoken to line by line, ended with all that it started.

As the SDK's own transport, but for what it does not bound: a line has a most of bytes, and what the
program says on stderr is drained, its end kept for the error that a dead program becomes.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from twelvefold.exceptions import Unreachable
from twelvefold.mcp.client.remotes import Stdio

END_WAIT_S = 2.0
"""For each of: to end when stdin closes, to end after SIGTERM."""
STDERR_KEPT_BYTES = 2_000
TURNS_TO_CLOSE = 3
"""Of the event loop, after which a closed pipe is gone."""
log = logging.getLogger("twelvefold.mcp")

Streams = tuple[Any, Any]


@asynccontextmanager
async def program(
    at: Stdio, env: Mapping[str, str], *, message_bytes_max: int, why: list[str]
) -> AsyncGenerator[Streams]:
    """The streams of a session with a program. Why it ended goes into `why`.

    Raises `Unreachable` when it cannot be started.
    """
    process = await _started(at, env, message_bytes_max)
    to_us, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_us = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_read(process, to_us, message_bytes_max, why)),
        asyncio.create_task(_write(process, from_us)),
        asyncio.create_task(_drain(process, why)),
    ]
    try:
        yield incoming, outgoing
    finally:
        for stream in (incoming, outgoing, to_us, from_us):
            stream.close()
        try:
            await _end(process)
        finally:  # also where the event loop ends, which waits for nobody
            _signal(process.pid, signal.SIGKILL)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await _close(process)


async def _started(at: Stdio, env: Mapping[str, str], limit: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            at.command,
            *at.args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**get_default_environment(), **env},
            cwd=at.cwd,
            limit=limit,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise Unreachable(f"{at.command} cannot be started: {error}") from error


async def _read(process: Any, to_us: Any, bytes_max: int, why: list[str]) -> None:
    """Each line is a message. What is none is passed over: some programs print there."""
    with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with to_us:
            while line := await _line(process, bytes_max, why):
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:
                    log.debug("a line on stdout is no message: %r", line[:100])
                    continue
                await to_us.send(SessionMessage(message))


async def _line(process: Any, bytes_max: int, why: list[str]) -> bytes:
    try:
        return await process.stdout.readline()
    except ValueError:  # the line is longer than the limit
        why.append(f"it sent more than {bytes_max} bytes in one message")
        return b""


async def _write(process: Any, from_us: Any) -> None:
    with contextlib.suppress(OSError):  # the end is noticed where it is read
        async with from_us:
            async for sent in from_us:
                text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(text.encode() + b"\n")
                await process.stdin.drain()


async def _drain(process: Any, why: list[str]) -> None:
    kept = b""
    while part := await process.stderr.read(64_000):
        kept = (kept + part)[-STDERR_KEPT_BYTES:]
        log.debug("stderr of pid %s: %r", process.pid, part)
        why[:] = [one for one in why if not one.startswith("stderr")]
        why.append(f"stderr ends: {kept.decode(errors='replace').strip()}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """As the protocol says: close stdin, wait, then signals, to all that the program started."""
    if process.stdin is not None:
        process.stdin.close()
    for sign in (signal.SIGTERM, signal.SIGKILL, None):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_WAIT_S)
        if process.returncode is not None and sign is signal.SIGTERM:
            break
        if sign is not None:
            _signal(process.pid, sign)


async def _close(process: Any) -> None:
    """Its pipes, too: a line that was too long has stopped their reading, so no end is seen there.

    asyncio has no public way to it.
    """
    process._transport.close()
    for _ in range(TURNS_TO_CLOSE):
        await asyncio.sleep(0)


def _signal(pid: int, sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sign)
