"""Serves the profile in children that are killed: `serve_killed.py STORE PORT`, told by its input.

`start` forks one, `kill` ends it with SIGKILL; each is answered by a line when it is done. What is
imported and put together is so once, before anything is opened, so a restart takes little; whatever
a child opened or learned dies with it. The socket is kept here, so that who comes meanwhile waits.
"""

import asyncio
import os
import signal
import socket
import sys
from importlib import import_module

import uvicorn
from serve_profile import profile

from twelvefold.mcp.serving import Gateway

AT_FIRST_REQUEST = ("anyio._backends._asyncio", "sqlite3", "twelvefold.stores.sqlite")
"""What each child would load again: the suite gives some answers half a second."""
LOOPBACK = "127.0.0.1"
BACKLOG = 64


def main(store: str, port: str) -> None:
    listens = socket.create_server((LOOPBACK, int(port)), backlog=BACKLOG)
    made, child = profile(store), 0
    for name in AT_FIRST_REQUEST:
        import_module(name)
    for line in sys.stdin:
        if line.strip() == "start":
            child = os.fork() or serve(made, listens)
        elif child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = 0
        sys.stdout.write("done\n")
        sys.stdout.flush()
    if child:
        os.kill(child, signal.SIGKILL)


def serve(made: Gateway, listens: socket.socket) -> int:
    """In the child, until it is killed."""
    config = uvicorn.Config(made, log_level="warning", proxy_headers=False)
    asyncio.run(uvicorn.Server(config).serve([listens]))
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
