"""Which errors are facts about what was called, and which end the advance or the process."""

import asyncio


def raise_unless_caused(error: BaseException) -> None:
    """Raise what ends the advance or the process. What the called code itself raised is a fact,
    also when it is `SystemExit`, or a cancellation that nobody asked of us."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise error
    elif not isinstance(error, Exception | SystemExit):
        raise error
