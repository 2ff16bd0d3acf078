"""A recorded thread, at any event, as a case: its log, the recorded reply, what comes of it. Pure.

What is expected is what today's code makes of the recording: a case passes when it is written.
"""

import json
from typing import Any

from twelvefold.agent import Agent
from twelvefold.cases.deciding import Decided, decide_on
from twelvefold.cases.lines import on_one_line
from twelvefold.cases.replies import after_reply, raw_text, read_reply, reply_to
from twelvefold.exceptions import Conflict
from twelvefold.messages import ModelReply
from twelvefold.plan import is_reply
from twelvefold.thread import Event, Json, Thread

_ENDED = frozenset({"truncated", "refused"})
_OTHER_BYTES = "# The reply answered other bytes than today's prompt makes."


def case_text(
    thread: Thread, agent: Agent[Any, Any], *, at: int | None = None, name: str | None = None
) -> str:
    """One item of a `*.cases.yaml`. Raises `Conflict` where the log holds nothing to expect.

    `at` a model's reply: that reply, to the events that the model had read. `at` any other event
    (the last one, as a rule): what is decided after it, and the reply, where the log holds it.
    """
    at = thread.head if at is None else at
    if not 1 <= at <= thread.head:
        raise Conflict(f"{thread.id} has events 1 to {thread.head}, not {at}.")
    event = thread.events[at - 1]
    replied = is_reply(event)
    prefix = thread.upto(event.after or at - 1) if replied else thread.upto(at)
    decided = decide_on(prefix, agent)
    answered = event if replied else _reply(thread, decided)
    if replied and decided.ask is None:
        raise Conflict(
            f"event {at} of {thread.id} is a reply, but today's code asks no model there: it"
            f" decides {decided}. See `twelvefold threads replay`."
        )
    lines = [
        f"- name: {on_one_line(name or f'{thread.id} at event {at}')}",
        f"  agent: {agent.name}",
    ]
    lines += ["  thread: |", *(f"    {line}" for line in _ascii(prefix))]
    if answered is None or (text := _text(thread, answered, exact=replied)) is None:
        lines += _expect(_decision(decided))
    else:
        lines += _replied(decided, agent, answered, text)
    return "".join(line + "\n" for line in lines)


def _reply(thread: Thread, decided: Decided) -> Event | None:
    return None if decided.ask is None else reply_to(thread, decided.thread)


def _text(thread: Thread, event: Event, *, exact: bool) -> str | None:
    """The text of a reply that a case can hold. `exact`: this event was asked for."""
    text = raw_text(event)
    if text is not None and event.data.get("reason") not in _ENDED:
        return text
    if not exact:
        return None
    before = event.after or event.seq - 1
    raise Conflict(
        f"event {event.seq} of {thread.id} is no text that could be read:"
        f" {event.data.get('error')}. Take what was read: --at {before}."
    )


def _decision(decided: Decided) -> dict[str, Json]:
    effect: dict[str, Json] = {"effect": str(decided)} if decided.effects else {}
    return effect | {"waits": decided.waits}


def _replied(decided: Decided, agent: Agent[Any, Any], event: Event, text: str) -> list[str]:
    assert decided.ask is not None  # a reply was found to what is asked
    recorded, today = event.data.get("prompt"), decided.ask.request.hash()
    lines = [f"  reply: {on_one_line(text)}"]
    if recorded == today:
        lines.append(f"  prompt: {today}")
    elif recorded is not None:
        lines.append(f"  {_OTHER_BYTES}")
    read = read_reply(decided, decided.ask, ModelReply(text))
    then: Json = str(after_reply(decided, read, agent))
    return lines + _expect(read.found | {"then": then})


def _expect(wanted: dict[str, Json]) -> list[str]:
    return ["  expect:", *(f"    {name}: {on_one_line(value)}" for name, value in wanted.items())]


def _ascii(thread: Thread) -> list[str]:
    """The log, nothing of which YAML could take for a break of a line or refuse to read."""
    lines = thread.to_jsonl().rstrip("\n").split("\n")
    return [json.dumps(json.loads(line), separators=(",", ":")) for line in lines]
