"""A client of the HTTP API, for `pip install 'twelvefold[client]'`.

`Client` waits for each answer, `AsyncClient` is the same for an event loop. Both repeat what may
be repeated, with the same `Idempotency-Key`, and raise the exceptions that `App` raises.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from twelvefold.exceptions import ConfigurationError

if TYPE_CHECKING:
    from twelvefold.client.asynchronous import AsyncClient
    from twelvefold.client.records import (
        AgentInfo,
        ContactInfo,
        ContextInfo,
        Decided,
        StepInfo,
        ThreadInfo,
        VerifiedInfo,
        WaitInfo,
    )
    from twelvefold.client.retrying import Retries
    from twelvefold.client.sync import Client

__all__ = [
    "AgentInfo",
    "AsyncClient",
    "Client",
    "ContactInfo",
    "ContextInfo",
    "Decided",
    "Retries",
    "StepInfo",
    "ThreadInfo",
    "VerifiedInfo",
    "WaitInfo",
]

_HOMES = {"Client": "sync", "AsyncClient": "asynchronous", "Retries": "retrying"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'twelvefold.client' has no attribute {name!r}")
    try:
        home = import_module(f"twelvefold.client.{_HOMES.get(name, 'records')}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("twelvefold"):
            raise
        raise ConfigurationError(
            f"The client needs {error.name}. Run: pip install 'twelvefold[client]'"
        ) from error
    return getattr(home, name)
