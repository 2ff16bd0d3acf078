"""Ports for servers that must say theirs before they listen, or come back on it after a kill.

The system gives the upper ports to whoever connects to anything: one that is free now may be taken
when the server begins, and a client that tries again while its server is away may even reach
itself. So these are lower ones, each process of tests beginning at another.
"""

import os
import socket
from itertools import count

PORTS_FIRST, PORTS = 20_000, 12_000
APART = 97
"""Two processes with neighbouring numbers begin as many ports apart."""

_ports = (PORTS_FIRST + (os.getpid() * APART + n) % PORTS for n in count())


def free_port() -> int:
    """One of 127.0.0.1 that nobody listens on, and that this process was not given lately."""
    for _ in range(PORTS):
        port = next(_ports)
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError(f"programs listen on all of {PORTS} ports")
