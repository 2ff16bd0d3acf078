"""A model's reply as the loop would record it, and what code decides next. Pure."""

from dataclasses import dataclass
from typing import Any

from twelvefold.agent import Agent
from twelvefold.cases.deciding import Decided, decide_on
from twelvefold.messages import ModelReply
from twelvefold.plan import CallModel, is_reply, reply_draft
from twelvefold.thread import Draft, Event, Json, Thread, to_text


@dataclass(frozen=True, slots=True)
class Read:
    """A reply as the event that it becomes: a step, an answer, or why it was refused."""

    draft: Draft

    @property
    def found(self) -> dict[str, Json]:
        """What it comes to, by the keys of `expect`."""
        data = self.draft.data
        match self.draft.type:
            case "next_step_chosen":
                return {"intent": data["intent"], "args": data["args"]}
            case "model_answered":
                return {"answer": data["answer"]}
            case _:
                return {"refused": data["reason"]}

    def __str__(self) -> str:
        found = self.found
        if "refused" in found:
            return f"refused ({found['refused']}): {self.draft.data['error']}"
        if "answer" in found:
            return f"answer {to_text(found['answer'])}"
        return f"{found['intent']} {to_text(found['args'])}"


def read_reply(decided: Decided, call: CallModel, reply: ModelReply) -> Read:
    """Read a reply to this call, at the time of the newest event."""
    thread = decided.thread
    return Read(reply_draft(call, reply, thread.events[-1].at, after=thread.head))


def after_reply(decided: Decided, read: Read, agent: Agent[Any, Any]) -> Decided:
    """What is decided once the reply is in the log."""
    return decide_on(decided.thread.then(read.draft), agent)


# Replies that a log holds


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
