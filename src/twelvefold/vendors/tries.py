"""The tries of one model call, all of them inside one deadline.

A pause is what the vendor asks for (`Retry-After`), else it doubles and is jittered. A pause that
would end after the deadline is not begun: the call fails at once, and says why.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from json import JSONDecodeError
from typing import Any

from twelvefold.exceptions import ModelFailed
from twelvefold.messages import Attempt, ModelReply

TRIES_MAX = 3
TIMEOUT_S = 60.0
PAUSE_FIRST_S, PAUSE_MAX_S = 0.5, 8.0
"""Pauses double from the first to the second, plus up to the first again at random."""
ERROR_CHARS_MAX = 200


async def tried(
    call: Callable[[float], Awaitable[ModelReply]],
    *,
    timeout_s: float,
    tries_max: int = TRIES_MAX,
    try_timeout_s: float | None = None,
) -> ModelReply:
    """The first reply of `call(seconds left)`, with the tries that failed before it.

    Only a `ModelFailed` that passes is tried again. Raises the last one, with all tries.
    """
    from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_before_delay

    failed: list[Attempt] = []
    started = time.monotonic()

    async def once() -> ModelReply:
        left_s = timeout_s - (time.monotonic() - started)
        return await _one_try(call, left_s if try_timeout_s is None else min(left_s, try_timeout_s))

    def note(state: Any) -> None:
        failed.append(_attempt(state.outcome.exception(), waited_s=state.upcoming_sleep))

    tries: Any = AsyncRetrying(
        sleep=asyncio.sleep,
        stop=stop_after_attempt(tries_max) | stop_before_delay(timeout_s),
        wait=_pause_s,
        retry=retry_if_exception(_passes),
        before_sleep=note,
        reraise=True,
    )
    try:
        reply: ModelReply = await tries(once)
    except ModelFailed as error:
        error.attempts = (*failed, _attempt(error))
        raise
    latency_s = time.monotonic() - started
    return replace(reply, attempts=tuple(failed), latency_s=latency_s)


async def _one_try(call: Callable[[float], Awaitable[ModelReply]], left_s: float) -> ModelReply:
    whole = asyncio.timeout(left_s)
    try:
        async with whole:
            return await call(left_s)
    except TimeoutError as error:
        if not whole.expired():  # the client's own
            raise
        detail = f"There was no reply within {left_s:.3g} s."
        raise ModelFailed("timeout", detail, passes=True) from error
    except JSONDecodeError as error:  # the SDKs let it through, whole or from within a stream
        detail = "The server answered with half of a JSON text, or with none."
        raise ModelFailed("unreadable", detail, passes=True) from error


def _passes(error: BaseException) -> bool:
    return isinstance(error, ModelFailed) and error.passes


def _pause_s(state: Any) -> float:
    from tenacity import wait_exponential_jitter

    asked_s = state.outcome.exception().retry_after_s
    if asked_s is not None:
        return max(asked_s, 0.0)
    jittered = wait_exponential_jitter(initial=PAUSE_FIRST_S, max=PAUSE_MAX_S, jitter=PAUSE_FIRST_S)
    return jittered(state)


def _attempt(error: ModelFailed, *, waited_s: float = 0.0) -> Attempt:
    return Attempt(error.detail[:ERROR_CHARS_MAX], error.status, waited_s)
