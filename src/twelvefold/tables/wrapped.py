"""The driver's connection inside what wraps it, found without importing the wrapper."""

import inspect
from typing import Any, TypeVar

T = TypeVar("T")

HOPS_MAX = 4
"""From an SQLAlchemy session to its connection, to the pool's, to the driver's."""


def innermost(tx: Any, kind: type[T]) -> T | None:
    """The `kind` that `tx` is or leads to. Nothing is awaited: what is async leads nowhere."""
    found = tx
    for _ in range(HOPS_MAX):
        if isinstance(found, kind):
            return found
        found = _nearer(found)
    return None


def _nearer(found: Any) -> Any:
    driver = getattr(found, "driver_connection", None)
    if driver is not None:
        return driver
    nearer = getattr(found, "connection", None)
    if inspect.ismethod(nearer):  # of a session; elsewhere it is the connection itself
        nearer = nearer()
    if inspect.iscoroutine(nearer):
        nearer.close()
        return None
    return nearer
