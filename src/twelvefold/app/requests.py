"""What a model was sent, or would be sent next, made again to the byte.

Nothing is stored of a request but its hash: it is made again by `decide` over the events that it
saw then. Where today's code makes other bytes, `differs` says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from twelvefold.agent import Agent
from twelvefold.exceptions import NotFound
from twelvefold.loop import DECISIONS_MAX
from twelvefold.messages import ModelRequest
from twelvefold.plan import CallModel, begin, is_reply
from twelvefold.summary import short
from twelvefold.thread import Event, Json, Thread


@dataclass(frozen=True, slots=True)
class Made:
    """A request as today's code makes it. `reply` is the event that answered it, if one did;
    `model` the name of the model, None for the default."""

    request: ModelRequest
    after: int
    reply: Event | None
    model: str | None = None

    @property
    def recorded(self) -> str | None:
        return None if self.reply is None else self.reply.data.get("prompt")

    @property
    def differs(self) -> bool:
        return self.recorded is not None and self.recorded != self.request.hash()


def request_at(thread: Thread, agent: Agent[Any, Any], at: int | None) -> Made:
    """The request that event `at` answers, or the one that follows it; without `at` the next one,
    or the newest. Raises `NotFound` when no model call belongs there."""
    if at is not None and not 1 <= at <= thread.head:
        raise NotFound(f"{thread.id} has events 1 to {thread.head}, not {at}.")
    chosen = None if at is None else thread.events[at - 1]
    if chosen is not None and is_reply(chosen):
        return _made(thread, agent, chosen)
    following = next_request(_until(thread, at), agent)
    if following is not None:
        return following
    replies = [event for event in thread.events if is_reply(event)]
    if at is None and replies:
        return _made(thread, agent, replies[-1])
    where = "yet" if at is None else f"after event {at}"
    raise NotFound(f"{thread.id} makes no model call {where}; try --at with a reply's event.")


def _until(thread: Thread, at: int | None) -> Thread:
    """A thread that has failed shows what `retry` would send, or why it cannot."""
    failed = bool(thread.head) and thread.events[-1].type == "advance_failed"
    if at is None:
        return thread.upto(thread.head - 1) if failed else thread
    return thread.upto(at)


def _made(thread: Thread, agent: Agent[Any, Any], reply: Event) -> Made:
    after = reply.seq - 1 if reply.after is None else reply.after
    made = next_request(thread.upto(after), agent)
    if made is None:
        raise NotFound(
            f"Today's code makes no model call after event {after} of {thread.id}, where event"
            f" {reply.seq} answers one. See `twelvefold threads replay {short(thread.id)}`."
        )
    return Made(made.request, after, reply, made.model)


def next_request(thread: Thread, agent: Agent[Any, Any]) -> Made | None:
    """Decide, without any I/O, until a model would be asked; None when it would not be."""
    for _ in range(DECISIONS_MAX):
        state = agent.state(thread)
        if state.stopped or not thread.head:
            return None
        now = thread.events[-1].at
        plan = begin(agent.decide(thread, state), state, thread, agent, now=now)
        for act in plan.acts:
            if isinstance(act, CallModel):
                return Made(act.request, thread.head, None, act.model)
        if plan.waits or plan.acts or not plan.drafts:
            return None
        thread = thread.then(*plan.drafts)
    return None


def body_of(model: Any, request: ModelRequest, load: Callable[[str], bytes]) -> Json:
    """The JSON that goes to the provider; None for a model that cannot say. `load` takes the
    SHA-256 of a file."""
    if not hasattr(model, "body"):
        return None
    return model.body(request.with_contents(load))


def sends_schema(model: Any) -> bool:
    """In prompt mode nothing but the prompt is sent; a model may stand around another."""
    inner = getattr(model, "model", None)
    if inner is None or isinstance(inner, str):
        return getattr(model, "mode", None) != "prompt"
    return sends_schema(inner)


def replies_before(thread: Thread, made: Made) -> Iterator[Event]:
    """The replies to earlier requests, the newest first."""
    now = made.after + 1 if made.reply is None else made.reply.seq
    return (event for event in reversed(thread.events[: now - 1]) if is_reply(event))
