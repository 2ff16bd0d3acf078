"""What the page of a context shows: one request to the byte, by source, and what was reported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote as shell_quoted
from typing import Any

from twelvefold.agent import Agent
from twelvefold.app.requests import Made, body_of, replies_before, request_at, sends_schema
from twelvefold.context.tokens import estimate
from twelvefold.messages import Model
from twelvefold.plan import is_reply
from twelvefold.prompts.comparing import Compared, compared
from twelvefold.server.pages.inspected import pretty
from twelvefold.server.pages.segments import MessageShown, messages_shown
from twelvefold.thread import Event, Json, Thread, from_text, to_text

HASH_CHARS = 12

_KINDS: Mapping[str, str] = {
    "message_received": "message",
    "next_step_chosen": "step",
    "tool_returned": "result",
    "step_settled": "result",
    "child_finished": "result",
    "model_answered": "result",
    "tool_failed": "error",
    "model_failed": "error",
    "contact_closed": "person",
    "signal_received": "message",
    "context_compacted": "summary",
}
KINDS: Mapping[str, str] = {
    "prompt": "the prompt's own words",
    "message": "messages and signals",
    "step": "chosen steps",
    "result": "results",
    "person": "what people said",
    "error": "errors",
    "summary": "a summary",
    "own": "your own events",
}
"""By what colour and word a piece is known."""


@dataclass(frozen=True, slots=True)
class ContextView:
    """`made` is None where today's code makes no request here, and `why_not` says why.

    `earlier` and `later` are the replies before and after the one that this request answers.
    `body` is what goes to the provider, "" for a model that cannot say.
    """

    thread: Thread
    at: int | None
    made: Made | None
    why_not: str = ""
    messages: Sequence[MessageShown] = ()
    steps: str = ""
    sends_steps: bool = True
    estimated: int = 0
    usage: Sequence[tuple[str, str]] = ()
    earlier: Event | None = None
    later: Event | None = None
    difference: Compared | None = None
    body: str = ""
    curl: str = ""

    @property
    def hash(self) -> str:
        return "" if self.made is None else self.made.request.hash()[:HASH_CHARS]

    @property
    def recorded(self) -> str:
        return ((self.made and self.made.recorded) or "")[:HASH_CHARS]


def kind_of(event: Event | None) -> str:
    return "prompt" if event is None else _KINDS.get(event.type, "own")


def name_of(event: Event) -> str:
    return str(event.data.get("intent") or event.type)


def context_view(
    thread: Thread,
    agent: Agent[Any, Any],
    at: int | None,
    *,
    model: Callable[[str | None], Model],
    load: Callable[[str], bytes],
) -> ContextView:
    """`model` finds the model by its name, `load` the bytes of a file by their SHA-256."""
    try:
        made = request_at(thread, agent, at)
    except Exception as error:  # decide and prompts are the user's: they may raise anything
        said = str(error) if type(error).__module__.startswith("twelvefold.") else repr(error)
        return ContextView(thread, at, None, why_not=said)
    asked, replied = model(made.model), made.reply
    body = body_of(asked, made.request, load)
    schema = made.request.schema
    texts = [message.text for message in made.request.messages]
    sent = [*texts, schema] if schema is not None and sends_schema(asked) else texts
    earlier = next(replies_before(thread, made), None)
    return ContextView(
        thread,
        at,
        made,
        messages=messages_shown(made.request.messages, thread.events[: made.after]),
        steps="" if schema is None else pretty(from_text(schema)),
        sends_steps=sends_schema(asked),
        estimated=sum(map(estimate, sent)),
        usage=usage_of(replied),
        earlier=earlier,
        later=_later(thread, made),
        difference=_difference(thread, agent, made, earlier),
        body="" if body is None else to_text(body),
        curl="" if body is None else curl_of(body),
    )


def usage_of(reply: Event | None) -> list[tuple[str, str]]:
    """What the provider reported, in its own figures."""
    usage: dict[str, Json] = {} if reply is None else reply.data.get("usage") or {}
    return [(name.replace("_", " "), _figure(name, count)) for name, count in usage.items()]


def _figure(name: str, count: Json) -> str:
    return f"${count:.4f}" if name == "cost" else f"{count}"


def _later(thread: Thread, made: Made) -> Event | None:
    if made.reply is None:
        return None
    return next((e for e in thread.events[made.reply.seq :] if is_reply(e)), None)


def _difference(
    thread: Thread, agent: Agent[Any, Any], made: Made, earlier: Event | None
) -> Compared | None:
    """To the request before; None without one, or where it cannot be made any more."""
    if earlier is None:
        return None
    try:
        before = request_at(thread, agent, earlier.seq)
    except Exception:  # as above
        return None
    names = (f"the request that event {earlier.seq} answers", "this request")
    return compared(before.request, made.request, names=names)


def curl_of(body: Json) -> str:
    """The same request by hand. Neither address nor key is in it: the shell has them."""
    return (
        'curl "$MODEL_URL" -H "Authorization: Bearer $MODEL_KEY"'
        f" -H 'Content-Type: application/json' --data-binary {shell_quoted(to_text(body))}"
    )
