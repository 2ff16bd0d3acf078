"""The cold half of W3: a new process that answers an open contact and runs its tool.

`python -m benchmarks.resume FOLDER CONTACT` prints a line when the tool is called.
"""

import asyncio
import sys
from pathlib import Path

from benchmarks.agents import Gate
from twelvefold.stores.sqlite import SqliteStore


def main(folder: str, contact: str) -> None:
    gate = Gate(SqliteStore(Path(folder) / "ours.db"), called=lambda: print("called", flush=True))
    asyncio.run(gate.approve(contact))


if __name__ == "__main__":
    main(*sys.argv[1:])
