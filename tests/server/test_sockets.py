"""The socket that is listened at."""

import asyncio
import socket

import pytest

from twelvefold.exceptions import ConfigurationError
from twelvefold.server.listening import bound

pytestmark = pytest.mark.anyio


async def test_an_answer_is_sent_without_waiting_for_the_other_side():
    waits = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw: socket.socket = writer.get_extra_info("socket")
        waits.set_result(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listens = bound("127.0.0.1", 0)
    async with await asyncio.start_server(accepted, sock=listens):
        _, writer = await asyncio.open_connection(*listens.getsockname())
        assert await waits != 0  # each answer would wait for a delayed acknowledgement, 40 ms
        writer.close()
        await writer.wait_closed()


async def test_an_address_that_is_taken_is_said_and_what_to_do():
    with bound("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port} cannot be listened at"):
            bound("127.0.0.1", port)
