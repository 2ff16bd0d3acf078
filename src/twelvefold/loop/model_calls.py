"""A model call: the request goes out, and what comes back is a step, an answer or a failure.

A failure of the call or of its reply is counted. What only a change of the application can mend (no
key, no such model, a schema that the vendor refuses) parks the thread and counts for nothing.
"""

import time
from functools import partial

from twelvefold.exceptions import ConfigurationError, ModelFailed
from twelvefold.failures import clip, short
from twelvefold.loop.causes import raise_unless_caused
from twelvefold.loop.metering import await_turn, budget_reached, count
from twelvefold.loop.surroundings import Surroundings
from twelvefold.messages import Attempt, ModelReply, RequestHash
from twelvefold.plan import CallModel, reply_draft, reply_key
from twelvefold.thread import Draft, Json, Thread


async def call_model(action: CallModel, thread: Thread, around: Surroundings, after: int) -> Draft:
    """The reply as a fact, or why there is none. Raises `StoreError` before anything was asked."""
    request, clock = action.request, around.clock
    asked: dict[str, Json] = {"prompt": thread.once(RequestHash).of(request)}
    refused = await await_turn(action.model, around)
    if (limited := await budget_reached(request, around, after)) is not None:
        return limited
    started = time.perf_counter()
    try:
        if refused is not None:
            raise refused
        load = partial(around.store.kept, tenant=request.tenant)
        reply = await around.model(action.model)(request.with_contents(load))
        asked |= _about(reply, time.perf_counter() - started)
    except ConfigurationError as error:
        return _parked(error, around, after)
    except BaseException as error:
        raise_unless_caused(error)
        data, key = asked | _failure(error), reply_key(action)
        return Draft("model_failed", data, clock(), key=key, after=after)
    await count(request, reply.usage, around)
    return reply_draft(action, reply, clock(), after=after, about=asked)


def _parked(error: ConfigurationError, around: Surroundings, after: int) -> Draft:
    data = {"error": short(error), "by": "advance"}
    key = f"advance_failed:{after}"  # two racing calls find the same fault
    return Draft("advance_failed", data, around.clock(), key=key, after=after)


def _failure(error: BaseException) -> dict[str, Json]:
    if not isinstance(error, ModelFailed):
        return {"error": short(error), "reason": "call_failed"}
    return {"error": clip(error.detail), "reason": error.reason} | _tried(error.attempts)


def _about(reply: ModelReply, elapsed_s: float) -> dict[str, Json]:
    about: dict[str, Json] = {"usage": reply.usage.to_data()}
    about["latency_s"] = round(reply.latency_s or elapsed_s, 4)
    if reply.model:
        about["model"] = reply.model
    return about | _tried(reply.attempts)


def _tried(attempts: tuple[Attempt, ...]) -> dict[str, Json]:
    return {"attempts": [attempt.to_data() for attempt in attempts]} if attempts else {}
