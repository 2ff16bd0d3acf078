"""A process that appends facts to a log whose disk fails, and says outside which were acknowledged.

`python writing.py FILE LEDGER SEED` appends some facts, several at once, each again until it is
acknowledged or `TRIES` are over; then it ends, sometimes by a SIGKILL of its own.
"""

import asyncio
import os
import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from twelvefold.exceptions import Conflict, StoreError
from twelvefold.store import Append, Create
from twelvefold.stores.sqlite import SqliteStore
from twelvefold.thread import Draft

TRIES = 8
ROUNDS = 12
AT_ONCE = 3
DIES = 0.04
FILL = "x" * 3000
"""So that the file grows."""


class Ledger:
    """One write per line, to a file that never fails."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, line: str) -> None:
        os.write(self.fd, f"{line}\n".encode())


def draft(key: str) -> Draft:
    data = {"signal": key, "payload": FILL}
    return Draft("signal_received", data, datetime.now(UTC), key=f"signal:{key}")


async def append(store: SqliteStore, key: str, ledger: Ledger, create: Create | None) -> None:
    for _ in range(TRIES):
        try:
            await store.commit(Append("t", [draft(key)], create=create))
            return ledger.note(f"ack {key}")
        except Conflict:
            create = None  # the thread was there
        except StoreError as error:
            ledger.note(f"err {type(error).__name__}")


async def write(path: str, ledger: Ledger, seed: int) -> None:
    chance = random.Random(seed)
    store = opened(path, ledger)
    if store is None:
        return
    await append(store, f"begin-{seed}", ledger, Create("bot"))
    for number in range(ROUNDS):
        keys = [f"{seed}-{number}-{n}" for n in range(AT_ONCE)]
        await asyncio.gather(*(append(store, key, ledger, None) for key in keys))
        if chance.random() < DIES:
            os.kill(os.getpid(), signal.SIGKILL)
    store.close()


def opened(path: str, ledger: Ledger) -> SqliteStore | None:
    for _ in range(TRIES):
        try:
            return SqliteStore(path)
        except StoreError as error:
            ledger.note(f"err {type(error).__name__}")
    return None


if __name__ == "__main__":
    file, lines, number = sys.argv[1:]
    Path(file).parent.mkdir(exist_ok=True)
    asyncio.run(write(file, Ledger(lines), int(number)))
