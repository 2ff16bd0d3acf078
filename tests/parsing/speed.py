"""How long a reply takes to read: `.venv/bin/python tests/parsing/speed.py`."""

import json
import sys
import time

from offer import Crew

from twelvefold.exceptions import StepRefused
from twelvefold.tools import parse

SMALL = '{"intent": "deploy_backend", "tag": "v1.2"}'
LINES = "".join(f"line {n}\n" for n in range(210))
CLEAN = json.dumps({"intent": "write_file", "path": "a.txt", "content": LINES})
REPLIES = {
    "clean, small": SMALL,
    "clean, 2 KB": CLEAN,
    "2 KB in a fence, with words": f"I write it:\n```json\n{CLEAN}\n```",
    "2 KB, quotes missing, commas too many": CLEAN.replace('"intent"', "intent")[:-1] + ",}",
}
PIECES = ("[", "{", '{"a":', '"', "`", "```json\n", "<think>", '{"a":"b" ', "{a:b(", "/*", " //")
MB = 1_000_000
RUNS = 2_000


def main() -> None:
    for name, reply in REPLIES.items():
        sys.stdout.write(f"{name:40} {seconds(reply, RUNS) * 1e6:8.0f} us\n")
    for piece in PIECES:
        for before in ("", '{"intent": "done_for_now", "message": "'):
            reply = before + piece * (MB // len(piece))
            name = f"1 MB of {piece.strip()!r}{' inside of a text' if before else ''}"
            sys.stdout.write(f"{name:40} {seconds(reply, 1):8.2f} s\n")


def read(reply: str) -> None:
    try:
        parse(reply, Crew)
    except StepRefused:
        return


def seconds(reply: str, runs: int) -> float:
    read(reply)
    started = time.perf_counter()
    for _ in range(runs):
        read(reply)
    return (time.perf_counter() - started) / runs


if __name__ == "__main__":
    main()
