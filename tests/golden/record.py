"""Record the golden logs of this version: `.venv/bin/python tests/golden/record.py`.

A log that was recorded is never written again, whatever the code says today: that is its use.
"""

import asyncio
import hashlib
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "examples")]

from golden.cases import CASES, GOLDEN, record  # noqa: E402
from twelvefold import __version__  # noqa: E402
from twelvefold.testing import MemoryStore  # noqa: E402

SUMS = "SHA256SUMS"


def main() -> None:
    folder = GOLDEN / __version__
    folder.mkdir(exist_ok=True)
    for name, case in CASES.items():
        path = folder / f"{name}.jsonl"
        if path.exists():
            sys.stdout.write(f"kept      {path.name}: recorded logs are never written again\n")
            continue
        threads = asyncio.run(record(case, MemoryStore()))
        text = "".join(thread.to_jsonl() for thread in threads)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        with (folder / SUMS).open("a", encoding="utf-8", newline="\n") as sums:
            sums.write(f"{hashlib.sha256(text.encode()).hexdigest()}  {path.name}\n")
        sys.stdout.write(f"recorded  {path.name}\n")


if __name__ == "__main__":
    main()
