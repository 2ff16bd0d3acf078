"""Files that are complete or not there."""

import os
from pathlib import Path

from twelvefold.exceptions import StoreUnavailable


def write_whole(path: Path, text: str) -> None:
    """Write beside `path` and rename, so that a file of this name is always complete.

    Raises `StoreUnavailable`.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StoreUnavailable(
            f"{path} cannot be written: {error.strerror or error}. Check the folder and the disk,"
            " or name another file; nothing was written.",
            retryable=False,
        ) from error
