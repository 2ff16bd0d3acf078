"""`twelvefold context show`: what the model was sent, or would be sent next, to the byte.

Nothing is stored of a request but its hash: it is made again by `decide` over the events that it
saw then. Where today's code makes other bytes, this is said.
"""

from typing import TYPE_CHECKING, Any

import click

from twelvefold.cli.here import Here
from twelvefold.cli.options import command
from twelvefold.summary import short
from twelvefold.thread import Thread

if TYPE_CHECKING:
    from twelvefold.app.requests import Made


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
    from twelvefold.app.requests import request_at
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


def _data(thread: Thread, made: "Made") -> dict[str, Any]:
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


def _comment(thread: Thread, made: "Made") -> str:
    name = short(thread.id)
    if made.reply is None:
        return f"{name}: the next request, after event {made.after}; not sent yet"
    sent = f"{name}: the request that event {made.reply.seq} answers, after event {made.after}"
    if made.differs:
        return f"{sent}. DIFFERENT from what was sent: today's code makes other bytes"
    return f"{sent}; the same bytes as were sent"
