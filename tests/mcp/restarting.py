"""A proxy in front of a server that is killed with SIGKILL after each call, and started anew.

Whatever a client learns, it learns from a process that has seen nothing but its own start.
"""

import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from server.known import PATIENCE_S

CONFORMANCE = Path(__file__).parent / "conformance"
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


class Restarting:
    """`kills`: how often the server was killed; without `killing` it serves on."""

    def __init__(self, store: Path, port: int, *, killing: bool) -> None:
        self.port, self.killing, self.kills, self.lock = port, killing, 0, threading.Lock()
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

    def passed_on(self, asked: BaseHTTPRequestHandler) -> tuple[int, list[tuple[str, str]], bytes]:
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        with self.lock:
            upstream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
            upstream.request(asked.command, asked.path, body, dict(asked.headers.items()))
            found = upstream.getresponse()
            answer = found.status, found.getheaders(), found.read()
            upstream.close()
            if self.killing:
                self._tell("kill")
                self._tell("start")
                self.kills += 1
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()


@contextmanager
def restarting(store: Path, port: int, *, killing: bool = True) -> Iterator[tuple[str, Restarting]]:
    """The URL of the proxy, and the server behind it."""
    behind = Restarting(store, port, killing=killing)

    class Asked(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            status, headers, body = behind.passed_on(self)
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = pass_on

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    front = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=front.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{front.server_address[1]}/mcp", behind
    finally:
        front.shutdown()
        thread.join()
        front.server_close()
        behind.close()
