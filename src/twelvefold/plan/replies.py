"""What a model's reply is in the log: a step, an answer, or a failure that is counted."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from twelvefold.exceptions import StepRefused, Unstorable
from twelvefold.failures import clip, short
from twelvefold.messages import ModelReply
from twelvefold.plan.parts import CallModel
from twelvefold.steps import args_of, intent_of
from twelvefold.thread import Draft, Event, Json, to_text
from twelvefold.tools import REASONS, Parsed, parse, parse_answer

REPLY_TYPES = frozenset({"model_answered", "model_failed"})
REFUSALS = (*REASONS, "empty", "refused", "unstorable")
"""Why a reply that came is none: what the parser says, and what is seen before and after it."""


def is_reply(event: Event) -> bool:
    """Whether a model call ended with this event."""
    if event.type == "next_step_chosen":
        return event.data["by"] == "model"
    return event.type in REPLY_TYPES


def reply_key(call: CallModel) -> str:
    """Of two racing replies to one turn, the first counts."""
    return f"reply:{call.request.turn}"


def reply_draft(
    call: CallModel,
    reply: ModelReply,
    at: datetime,
    *,
    after: int,
    about: Mapping[str, Json] | None = None,
) -> Draft:
    """The fact that a reply is; `about` is what else is known of the call."""
    known, key = dict(about or {}), reply_key(call)
    try:
        _check_finish(reply, is_text=call.answer is str)
        type, data = _said(call, reply, known)
        return Draft(type, data, at, key=key, after=after)
    except (StepRefused, Unstorable) as error:  # a validator may make an infinity
        reason = error.reason if isinstance(error, StepRefused) else "unstorable"
        data = known | {"error": short(error), "reason": reason, "raw": reply.text}
        return Draft("model_failed", data, at, key=key, after=after)


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
    call: CallModel, reply: ModelReply, known: dict[str, Json]
) -> tuple[str, dict[str, Json]]:
    """Raises `StepRefused`."""
    if call.answer is None:
        return "next_step_chosen", _choice(parse(reply.text, call.steps), reply, known)
    answer = parse_answer(reply.text, call.answer)
    data: dict[str, Json] = {"step": call.settles, "intent": call.intent, "answer": answer}
    return "model_answered", data | known


def _choice(
    parsed: Parsed[BaseModel], reply: ModelReply, known: dict[str, Json]
) -> dict[str, Json]:
    intent, args = intent_of(type(parsed.step)), args_of(parsed.step)
    data: dict[str, Json] = {"intent": intent, "args": args, "by": "model", **known}
    # The raw text is kept where it says anything that the arguments do not.
    if reply.text != to_text({"intent": intent, **args}):
        data["raw"] = reply.text
    if parsed.repairs:
        data["repairs"] = list(parsed.repairs)
    return data
