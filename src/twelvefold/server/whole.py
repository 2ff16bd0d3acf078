"""A file may bring a contact that nobody can be shown. Then that is said, instead of failing.

It is closed, as everything that a copy brings, so nothing waits for it. Here no such contact is
made: in a thread that was never copied an error stays one.
"""

from collections.abc import Generator
from contextlib import contextmanager

from twelvefold.exceptions import Conflict, SchemaRefused
from twelvefold.thread import Thread

COPIES = frozenset({"forked", "imported"})


@contextmanager
def whole(thread: Thread, contact: str) -> Generator[None]:
    """Around what shows a contact. Raises `Conflict` for one that is not whole."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, SchemaRefused) as error:
        if not any(event.type in COPIES for event in thread.events):
            raise
        raise Conflict(
            f"{thread.id}.{contact} came with a file and is not whole, so it cannot be shown. It is"
            f" closed, and nothing waits for it: the events of {thread.id} say what there is."
        ) from error
