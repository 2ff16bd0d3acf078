"""What must end although somebody cancels the task that waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def undisturbed(doing: Coroutine[Any, Any, T]) -> T:
    """Await it to its end. The task still knows that it was cancelled (`Cancels`)."""
    task = asyncio.ensure_future(doing)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue
        except BaseException:
            break  # raised again below
    return task.result()
