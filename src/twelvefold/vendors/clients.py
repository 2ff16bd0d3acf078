"""A vendor's SDK, loaded when it is first needed, and its open clients."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from importlib import import_module
from typing import Any

from twelvefold.exceptions import UnusableModel

NO_KEY = "none"
"""What a server is told that is not the vendor's own and may need no key, such as Ollama."""

# Open connections belong to the event loop that opened them, not to a model: one that is dropped
# while the loop runs would leave them to the garbage collector, which cannot close them.
_OPEN: dict[asyncio.AbstractEventLoop, dict[Hashable, tuple[Any, AsyncGenerator[Any]]]] = {}


def load(module: str, *, extra: str) -> Any:
    """The SDK. Raises `UnusableModel` when the extra is not installed, or only a part of it."""
    try:
        sdk = import_module(module)
        import_module("tenacity")
    except ImportError as error:
        raise UnusableModel(
            f"This model needs the extra {extra!r}, which is not installed ({error})."
            f" Run: pip install 'twelvefold[{extra}]'"
        ) from error
    return sdk


async def _closed(client: Any) -> None:
    await client.close()


async def client_for(
    settings: Hashable,
    make: Callable[[], Any],
    *,
    close: Callable[[Any], Awaitable[None]] = _closed,
) -> Any:
    """The client of this event loop with these settings, made when there is none.

    The loop closes it: `asyncio.run` ends every generator that was begun in it.
    """
    loop = asyncio.get_running_loop()
    if loop not in _OPEN:
        for closed in [other for other in _OPEN if other.is_closed()]:
            del _OPEN[closed]
        _OPEN[loop] = {}
    here = _OPEN[loop]
    if settings not in here:
        life = _life(make(), close)
        here[settings] = (await anext(life), life)
    return here[settings][0]


async def _life(client: Any, close: Callable[[Any], Awaitable[None]]) -> AsyncGenerator[Any]:
    try:
        yield client
    finally:
        await close(client)
