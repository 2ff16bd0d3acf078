"""A model's reply as the loop would record it, and what code decides next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from twelvefold.agent import Agent
from twelvefold.cases.deciding import Decided, decide_on
from twelvefold.exceptions import StepRefused, Unstorable
from twelvefold.failures import short
from twelvefold.messages import ModelReply
from twelvefold.plan import CallModel
from twelvefold.steps import args_of, intent_of
from twelvefold.thread import Draft, Event, Json, Thread, to_text
from twelvefold.tools import parse, parse_answer


@dataclass(frozen=True, slots=True)
class Read:
    """A reply that was read: a step, an answer, or why it was refused. `type` and `data` are those
    of its event."""

    type: str
    data: Mapping[str, Json]
    intent: str | None = None
    args: Mapping[str, Json] = field(default_factory=dict[str, Json])
    answer: tuple[Json, ...] = ()
    refused: str | None = None

    @property
    def found(self) -> dict[str, Json]:
        """What it comes to, by the keys of `expect`."""
        if self.refused is not None:
            return {"refused": self.refused}
        if self.answer:
            return {"answer": self.answer[0]}
        return {"intent": self.intent, "args": dict(self.args)}

    def __str__(self) -> str:
        if self.refused is not None:
            return f"refused ({self.refused}): {self.data['error']}"
        if self.answer:
            return f"answer {to_text(self.answer[0])}"
        return f"{self.intent} {to_text(self.args)}"


def read_reply(ask: CallModel, reply: ModelReply) -> Read:
    """Read a reply to this call."""
    try:
        if reply.finish in {"truncated", "refused"}:
            raise StepRefused(reply.finish, f"The model's reply was {reply.finish}.")
        if ask.answer is not None:
            answer = parse_answer(reply.text, ask.answer)
            data = {"step": ask.settles, "intent": ask.intent, "answer": answer}
            return Read("model_answered", data, answer=(answer,))
        step: BaseModel = parse(reply.text, ask.steps).step
        intent, args = intent_of(type(step)), args_of(step)
        data = {"intent": intent, "args": args, "by": "model"}
        return Read("next_step_chosen", data, intent, args)
    except (StepRefused, Unstorable) as error:
        reason = error.reason if isinstance(error, StepRefused) else "unstorable"
        data = {"error": short(error), "reason": reason, "raw": reply.text}
        return Read("model_failed", data, refused=reason)


def after_reply(decided: Decided, read: Read, agent: Agent[Any, Any]) -> Decided:
    """What is decided once the reply is in the log, at the time of its newest event."""
    thread = decided.thread
    key = f"reply:{decided.ask.request.turn}" if decided.ask else None
    now = thread.events[-1].at
    return decide_on(
        thread.then(Draft(read.type, read.data, now, key=key, after=thread.head)), agent
    )


# Replies that a log holds


def is_reply(event: Event) -> bool:
    """Whether a model's reply, or its failure, became this event."""
    if event.type == "next_step_chosen":
        return event.data["by"] == "model"
    return event.type in {"model_answered", "model_failed"}


def reply_to(thread: Thread, asked: Thread) -> Event | None:
    """The reply that the log holds to the request that follows `asked`."""
    if list(thread.events[: asked.head]) != list(asked.events):
        return None
    later = thread.events[asked.head :]
    return next((e for e in later if is_reply(e) and e.after == asked.head), None)


def raw_text(event: Event) -> str | None:
    """The text of a recorded reply: the log keeps it where it says more than the step; None where a
    call brought none."""
    data = event.data
    if "raw" in data:
        return str(data["raw"])
    if event.type == "next_step_chosen":
        return to_text({"intent": data["intent"], **data["args"]})
    if event.type == "model_answered":
        answer = data["answer"]
        return answer if isinstance(answer, str) else to_text(answer)
    return None
