"""What a command writes: data to stdout, talk to stderr.

Data is one versioned JSON document, JSON Lines, or lines for people. Every line for people is made
visible first; JSON is ASCII, so neither can carry an escape sequence to a terminal.
"""

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

from twelvefold.notices import ago, left, visible
from twelvefold.thread import Json, to_iso

CELL_CHARS_MAX = 100


class Out:
    """Where one command writes. `stdout` is kept: while the application runs, print goes to
    stderr."""

    def __init__(self) -> None:
        self.data, self.talk = sys.stdout, sys.stderr
        self.tty = self.data.isatty()
        self.color = self.tty and not os.environ.get("NO_COLOR")
        for stream in (self.data, self.talk):
            if hasattr(stream, "reconfigure"):  # a terminal that cannot show it still gets it
                stream.reconfigure(errors="backslashreplace")  # pyright: ignore

    def line(self, text: str = "", *, bold: bool = False) -> None:
        shown = visible(text)
        self._write(f"\x1b[1m{shown}\x1b[0m" if bold and self.color else shown)

    def document(self, schema: str, **fields: Json) -> None:
        """One JSON document, or one line of JSON Lines."""
        self._write(json.dumps({"schema": f"twelvefold.{schema}", **fields}))

    def raw(self, text: str) -> None:
        """Text that is data to the byte; the caller made it safe for a terminal."""
        self.data.write(text)
        self.data.flush()

    def say(self, text: str) -> None:
        """Talk: whatever is not the data that was asked for."""
        write(self.talk, visible(text))

    def mute(self) -> None:
        """Nobody reads any more: what is still written goes nowhere."""
        # Into the descriptor, for what is buffered would fail again when Python closes the stream.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.data.fileno())

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Columns by the widest cell; the last one is not padded."""
        shown = [[visible(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        for row in shown:
            cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
            self._write("  ".join(cells).rstrip())

    def when(self, at: datetime) -> str:
        """Relative on a terminal, ISO 8601 in UTC when piped."""
        if not self.tty:
            return to_iso(at)
        seconds = (datetime.now(UTC) - at).total_seconds()
        return f"in {left(-seconds)}" if seconds < 0 else f"{ago(seconds)} ago"

    def _write(self, line: str) -> None:
        write(self.data, line)


def write(stream: TextIO, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()


def shortened(text: str, chars_max: int = CELL_CHARS_MAX) -> str:
    """`text`, or its beginning and how much is not shown."""
    if len(text) <= chars_max:
        return text
    return f"{text[:chars_max]}... (+{len(text) - chars_max} characters)"
