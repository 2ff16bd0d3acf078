"""`twelvefold context show`: what the model was sent, or would be sent next, to the byte.

Nothing is stored of a request but its hash: it is made again by `decide` over the events that it
saw then. Where today's code makes other bytes, this is said.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.exceptions import NotFound
from twelvefold.summary import short
from twelvefold.thread import Event, Thread

if TYPE_CHECKING:
    from twelvefold.agent import Agent
    from twelvefold.messages import ModelRequest


@dataclass(frozen=True, slots=True)
class Made:
    """A request as today's code makes it. `reply` is the event that answered it, if one did;
    `model` the name of the model, None for the default."""

    request: "ModelRequest"
    after: int
    reply: Event | None
    model: str | None = None

    @property
    def recorded(self) -> str | None:
        return None if self.reply is None else self.reply.data.get("prompt")

    @property
    def differs(self) -> bool:
        return self.recorded is not None and self.recorded != self.request.hash()


@command()
@click.argument("thread")
@click.option(
    "--at", type=int, metavar="SEQ", help="The model's reply, or any event: what follows."
)
@click.option("--wire", is_flag=True, help="The JSON body that goes to the provider.")
@click.option("--tokens", is_flag=True, help="How many tokens its parts are, estimated.")
@click.option(
    "--diff",
    "other",
    is_flag=False,
    flag_value="",
    metavar="[SEQ|THREAD[:SEQ]|FILE]",
    help="What changed since another request; the one before this without a value.",
)
@click.pass_obj
def show(
    here: Here, thread: str, at: int | None, wire: bool, tokens: bool, other: str | None
) -> None:
    """The exact request to the model: the one that event SEQ answers, or the next one.

    Without --at: the next request (of a thread that has failed: the one of `retry`), or the newest
    one while THREAD waits or has finished.
    """
    from twelvefold.cli import request_views as views

    log = here.app.thread(here.thread_id(thread))
    made = request_at(log, here.app.agent(log.agent), at)
    shown: list[views.Shown] = []
    if wire:
        shown.append(views.wire(here, made))
    if tokens:
        shown.append(views.tokens(here, log, made))
    if other is not None:
        shown.append(views.diff(here, log, made, other))
    if here.json:
        data = _data(log, made)
        here.out.document("context/1", **data, **{view.name: view.data for view in shown})
        return
    for view in shown or [views.request(made)]:
        view.show(here.out)
    here.out.say(_comment(log, made))


def request_at(thread: Thread, agent: "Agent[Any, Any]", at: int | None) -> Made:
    """Raises `NotFound` when no model call belongs there."""
    from twelvefold.plan import is_reply

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


def _made(thread: Thread, agent: "Agent[Any, Any]", reply: Event) -> Made:
    after = reply.seq - 1 if reply.after is None else reply.after
    made = next_request(thread.upto(after), agent)
    if made is None:
        raise NotFound(
            f"Today's code makes no model call after event {after} of {thread.id}, where event"
            f" {reply.seq} answers one. See `twelvefold threads replay {short(thread.id)}`."
        )
    return Made(made.request, after, reply, made.model)


def next_request(thread: Thread, agent: "Agent[Any, Any]") -> Made | None:
    """Decide, without any I/O, until a model would be asked; None when it would not be."""
    from twelvefold.loop import DECISIONS_MAX
    from twelvefold.plan import CallModel, begin

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


def _data(thread: Thread, made: Made) -> dict[str, Any]:
    return {
        "thread": thread.id,
        "after": made.after,
        "at": None if made.reply is None else made.reply.seq,
        "messages": [
            {
                "role": message.role,
                "text": message.text,
                "parts": [{"text": part.text, "cache": part.cache} for part in message.parts],
            }
            for message in made.request.messages
        ],
        "steps": made.request.schema,
        "hash": made.request.hash(),
        "recorded_hash": made.recorded,
        "same": None if made.recorded is None else not made.differs,
    }


def _comment(thread: Thread, made: Made) -> str:
    name = short(thread.id)
    if made.reply is None:
        return f"{name}: the next request, after event {made.after}; not sent yet"
    sent = f"{name}: the request that event {made.reply.seq} answers, after event {made.after}"
    if made.differs:
        return f"{sent}. DIFFERENT from what was sent: today's code makes other bytes"
    return f"{sent}; the same bytes as were sent"
