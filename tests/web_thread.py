"""A small web server in a thread of this process: what stands in for somebody's API."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOK_S = 0.01
"""Between two looks whether it is told to stop."""


class Answering(BaseHTTPRequestHandler):
    """A class of this one says with `do_POST` what is answered."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def say(self, status: int, said: Any = None) -> None:
        """JSON, or no body at all."""
        reply = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        if reply:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@contextmanager
def web_thread(kind: type[Answering]) -> Iterator[int]:
    """Its port on 127.0.0.1, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(LOOK_S,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
