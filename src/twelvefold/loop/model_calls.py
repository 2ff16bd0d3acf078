"""A model call: the request goes out, and what comes back is a step, an answer or a failure.

A failure of the call or of its reply is counted. What only a change of the application can mend (no
key, no such model, a schema that the vendor refuses) parks the thread and counts for nothing.
"""

import time
from functools import partial

from pydantic import BaseModel

from twelvefold.exceptions import ConfigurationError, ModelFailed, StepRefused, Unstorable
from twelvefold.failures import clip, short
from twelvefold.loop.causes import raise_unless_caused
from twelvefold.loop.surroundings import Surroundings
from twelvefold.messages import Attempt, ModelReply
from twelvefold.plan import CallModel
from twelvefold.steps import args_of, intent_of
from twelvefold.thread import Draft, Json, to_text
from twelvefold.tools import Parsed, parse, parse_answer


async def call_model(action: CallModel, around: Surroundings, after: int) -> Draft:
    request, clock = action.request, around.clock
    key = f"reply:{request.turn}"  # of two racing replies to one turn, the first counts
    asked: dict[str, Json] = {"prompt": request.hash()}
    started = time.perf_counter()
    try:
        load = partial(around.store.kept, tenant=request.tenant)
        reply = await around.model(action.model)(request.with_contents(load))
        asked |= _about(reply, time.perf_counter() - started)
    except ConfigurationError as error:
        return _parked(error, around, after)
    except BaseException as error:
        raise_unless_caused(error)
        return Draft("model_failed", asked | _failure(error), clock(), key=key, after=after)
    try:
        _check_finish(reply, is_text=action.answer is str)
        type, data = _said(action, reply, asked)
        return Draft(type, data, clock(), key=key, after=after)
    except (StepRefused, Unstorable) as error:  # a validator may make an infinity
        reason = error.reason if isinstance(error, StepRefused) else "unstorable"
        data = asked | {"error": short(error), "reason": reason, "raw": reply.text}
        return Draft("model_failed", data, clock(), key=key, after=after)


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


def _check_finish(reply: ModelReply, *, is_text: bool) -> None:
    """Raises `StepRefused` for a reply that says nothing, or not all."""
    match reply.finish:
        case "truncated":
            raise StepRefused("truncated", "The reply was cut off before its end.")
        case "refused":
            said = f": {reply.text}" if reply.text.strip() else "."
            raise StepRefused("refused", clip(f"The model refused{said}"))
        case _:
            if not reply.text.strip() and not is_text:
                raise StepRefused("empty", "The reply was empty.")


def _said(
    action: CallModel, reply: ModelReply, asked: dict[str, Json]
) -> tuple[str, dict[str, Json]]:
    """The fact that a reply is. Raises `StepRefused`, and `Unstorable`."""
    if action.answer is None:
        return "next_step_chosen", _choice(parse(reply.text, action.steps), reply, asked)
    answer = parse_answer(reply.text, action.answer)
    return "model_answered", {
        "step": action.settles,
        "intent": action.intent,
        "answer": answer,
    } | asked


def _choice(
    parsed: Parsed[BaseModel], reply: ModelReply, asked: dict[str, Json]
) -> dict[str, Json]:
    intent, args = intent_of(type(parsed.step)), args_of(parsed.step)
    data: dict[str, Json] = {"intent": intent, "args": args, "by": "model", **asked}
    # The raw text is kept where it says anything that the arguments do not.
    if reply.text != to_text({"intent": intent, **args}):
        data["raw"] = reply.text
    if parsed.repairs:
        data["repairs"] = list(parsed.repairs)
    return data
