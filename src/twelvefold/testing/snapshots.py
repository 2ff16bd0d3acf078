"""Snapshots: a file beside the prompt that holds every byte of a request, to be read in reviews."""

import os
from collections.abc import Sequence
from pathlib import Path

from twelvefold.messages import Message, ModelRequest
from twelvefold.prompts import written
from twelvefold.prompts.comparing import common_beginning, unified

UPDATE = "TWELVEFOLD_SNAPSHOTS"
DIFF_CHARS_MAX = 20_000


def snapshot(
    shown: ModelRequest | Sequence[Message] | str,
    path: str | Path,
    *,
    update: bool | None = None,
) -> None:
    """Raises `AssertionError` with a diff unless the file holds just this.

    `update` writes the file instead; without it, the environment variable
    `TWELVEFOLD_SNAPSHOTS=update` says so. The file is what `prompts.written` makes, or the text.
    """
    __tracebackhide__ = True  # pytest then shows the line of the test
    path = Path(path)
    text = shown if isinstance(shown, str) else written(shown)
    if update or (update is None and os.environ.get(UPDATE) == "update"):
        path.write_bytes(_encoded(text))
        return
    if not path.exists():
        raise AssertionError(f"There is no snapshot {path} yet. {_REMEDY}")
    if complaint := difference(path.read_bytes(), text, name=path.name):
        raise AssertionError(complaint)


def difference(kept: bytes, text: str, *, name: str) -> str:
    """What differs between a snapshot and a text, for people; "" when nothing does."""
    new = _encoded(text)
    if kept == new:
        return ""
    old = kept.decode("utf-8", "surrogatepass")
    diff = unified(old, text, names=(f"{name} (kept)", f"{name} (now)"))
    at = common_beginning(kept, new)
    return f"{name} differs after its first {at} bytes. {_REMEDY}\n{diff[:DIFF_CHARS_MAX]}"


_REMEDY = "If the new bytes are right, run again with TWELVEFOLD_SNAPSHOTS=update."


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
