"""The store refused, or failed."""

from twelvefold.exceptions.root import TwelvefoldError


class StoreError(TwelvefoldError):
    """The store refused or failed. What was acknowledged before is kept."""


class Stale(StoreError):
    """The log grew since this was decided. Load the tail and decide again."""


class Fenced(StoreError):
    """A newer advance owns this thread. Stop; it goes on there."""


class StoreFull(StoreError):
    """The disk or database is full. Make room, then run it again; nothing acknowledged was lost."""


class StoreUnavailable(StoreError):
    """The store did not answer (locked, unreachable, read-only). Try again when `retryable`; retry
    by key, never assume."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class StoreCorrupt(StoreError):
    """The file is no readable twelvefold log. Restore the newest backup; it was left as it is."""


class StoreVersion(StoreError):
    """A newer twelvefold wrote the database. Upgrade this installation; nothing was changed."""
