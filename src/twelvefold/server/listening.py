"""A server on a socket, which drains when it is told to stop: streams end, requests finish."""

import asyncio
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from twelvefold.exceptions import ConfigurationError
from twelvefold.server.serving import Serving

BACKLOG = 2048
HEADER_BYTES_MAX = 32_768
STOPS = (signal.SIGTERM, signal.SIGINT)


def bound(host: str, port: int) -> socket.socket:
    """A socket at this address. Raises `ConfigurationError` where that cannot be had."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )
        # By its name: asyncio sends without delay (TCP_NODELAY) only where it sees the protocol.
        listens = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"There is no address {host}: {error.strerror}.") from error
    try:
        listens.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listens.bind(address)
        listens.listen(BACKLOG)
    except OSError as error:
        listens.close()
        raise ConfigurationError(
            f"{host}:{port} cannot be listened at: {error.strerror}. Stop what does, or choose"
            " another with --port."
        ) from error
    return listens


def url_of(listens: socket.socket) -> str:
    host, port, *_ = listens.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Listener(uvicorn.Server):
    """Serves until it is told to stop."""

    def __init__(self, served: FastAPI, *, grace_s: int, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            served,
            access_log=False,
            log_config=None,
            proxy_headers=False,  # whoever counts as a proxy is for `access` to say
            server_header=False,
            http="h11",  # the other one that uvicorn takes, when it is there, bounds no headers
            h11_max_incomplete_event_size=HEADER_BYTES_MAX,
            timeout_graceful_shutdown=grace_s,
            ws="none",
        )
        super().__init__(config)
        self._serving: Serving = served.state.serving
        self._started = started

    async def listen(self, listens: socket.socket, *, until: "asyncio.Future[bool] | None") -> None:
        """Until SIGTERM or SIGINT; a second one does not wait. It also ends, with the error of
        `until`, when that ends."""
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.add_signal_handler(number, self.stop)
        if until is not None:
            until.add_done_callback(lambda _: self.stop())
        try:
            await self.serve([listens])
        finally:
            for number in STOPS:
                loop.remove_signal_handler(number)
        if until is not None and until.done():
            until.result()

    def stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._serving.feed.drain()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Ours are handled by the loop. uvicorn would raise the signal again at the end, and the
        exit code would say that the process was killed."""
        yield
