"""A model call: the request goes out, and what comes back is a step, an answer or a failure."""

import time

from pydantic import BaseModel

from twelvefold.exceptions import StepRefused, Unstorable
from twelvefold.failures import short
from twelvefold.loop.causes import raise_unless_caused
from twelvefold.loop.surroundings import Surroundings
from twelvefold.messages import ModelReply
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
        reply = await around.model(action.model)(request)
        asked |= _about(reply, time.perf_counter() - started)
    except BaseException as error:
        raise_unless_caused(error)
        data = asked | {"error": short(error), "reason": "call_failed"}
        return Draft("model_failed", data, clock(), key=key, after=after)
    try:
        if reply.finish in {"truncated", "refused"}:
            raise StepRefused(reply.finish, f"The model's reply was {reply.finish}.")
        type, data = _said(action, reply, asked)
        return Draft(type, data, clock(), key=key, after=after)
    except (StepRefused, Unstorable) as error:  # JSON has 1e999, the log has no infinity
        reason = error.reason if isinstance(error, StepRefused) else "unstorable"
        data = asked | {"error": short(error), "reason": reason, "raw": reply.text}
        return Draft("model_failed", data, clock(), key=key, after=after)


def _about(reply: ModelReply, elapsed_s: float) -> dict[str, Json]:
    about: dict[str, Json] = {"usage": reply.usage.to_data()}
    about["latency_s"] = round(reply.latency_s or elapsed_s, 4)
    if reply.model:
        about["model"] = reply.model
    if reply.attempts > 1:
        about["attempts"] = reply.attempts
    return about


def _said(
    action: CallModel, reply: ModelReply, asked: dict[str, Json]
) -> tuple[str, dict[str, Json]]:
    """The fact that a reply is. Raises `StepRefused`, and `Unstorable` for 1e999 and the like."""
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
