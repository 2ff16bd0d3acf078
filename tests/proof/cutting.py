"""A way to Postgres that breaks: it hands on bytes between socket and server, and cuts connections.

A cut may fall anywhere, also between a commit and its acknowledgement, which no client can tell.
"""

import random
import selectors
import shutil
import socket
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg.conninfo import conninfo_to_dict

BYTES = 65536
PORT = 5432
POLL_S = 0.05


class Cutting:
    """Accepts on a socket of its own. `cut_all` drops every connection; with `mean_bytes`, each
    also breaks by itself after about so many."""

    def __init__(self, server: tuple[str, int | str], folder: Path, seed: int) -> None:
        self.server, self.chance, self.cuts = server, random.Random(seed), 0
        self.mean_bytes = 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / f".s.PGSQL.{PORT}"))
        self._listening.listen(64)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()

    def cut_all(self) -> None:
        for pair in list(self._pairs):
            self.cuts += 1
            _break(pair)

    def close(self) -> None:
        self._over.set()
        self._listening.close()
        for pair in list(self._pairs):
            _break(pair)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        self._listening.settimeout(POLL_S)
        while not self._over.is_set():
            try:
                client, _ = self._listening.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            client.setblocking(True)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        """Until a side closes, or so many bytes have come through."""
        host, port = self.server
        path = f"{host}/.s.PGSQL.{port}"
        left = int(self.chance.expovariate(1 / self.mean_bytes)) if self.mean_bytes else -1
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(path)
            pair = (client, server)
            self._pairs.add(pair)
            try:
                self._pump(pair, left)
            finally:
                self._pairs.discard(pair)

    def _pump(self, pair: tuple[socket.socket, socket.socket], left: int) -> None:
        client, server = pair
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while not self._over.is_set():
                for key, _ in ready.select(POLL_S):
                    content = key.fileobj.recv(BYTES)  # pyright: ignore
                    if not content:
                        return
                    if 0 <= left < len(content):
                        self.cuts += 1
                        key.data.sendall(content[:left])
                        return _break(pair)
                    left -= len(content) if left >= 0 else 0
                    key.data.sendall(content)


def _break(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(url: str, seed: int) -> Generator[tuple[Cutting, str]]:
    """The breaking way, and the URL that takes it."""
    given = conninfo_to_dict(url)
    server = (str(given["host"]), str(given.get("port") or PORT))
    folder = Path(tempfile.mkdtemp(prefix="tf-cut-", dir="/tmp"))  # short, as socket paths must be
    proxy = Cutting(server, folder, seed)
    try:
        yield proxy, _through(url, folder)
    finally:
        proxy.close()
        shutil.rmtree(folder)


def _through(url: str, folder: Path) -> str:
    parts = urlsplit(url)
    query = [one for one in parts.query.split("&") if not one.startswith(("host=", "port="))]
    query = [f"host={quote(str(folder), safe='')}", *query]
    return urlunsplit(parts._replace(query="&".join(query)))
