"""A thread as Markdown, for people: who did what, with which arguments, and what became of it.

What the log holds is shown in fences and code spans, so that no message and no result can pass for
the text around it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, cast

from twelvefold.context.body import to_yaml
from twelvefold.steps import CORE_EVENTS
from twelvefold.summary import summarize
from twelvefold.thread import EVENT_VERSION, Event, Json, Thread

FENCE_MIN = 3


class Entry(NamedTuple):
    """A heading, and what is shown below it; None is nothing."""

    heading: str
    body: Json = None


def markdown(thread: Thread) -> str:
    """The whole log as a timeline, one section per event. The raw log is its JSONL, not this."""
    summary = summarize(thread.events)
    about = f"Agent {_code(thread.agent)}, {summary.status}, {thread.head} events."
    lines = [f"# Thread {_code(thread.id)}", "", about, ""]
    if thread.parent is not None:
        launched = f"{_code(thread.parent.step)} of {_code(thread.parent.thread)}"
        lines += [f"Launched by step {launched}.", ""]
    for event in thread.events:
        lines += _section(event)
    return "\n".join(lines)


def _section(event: Event) -> Iterator[str]:
    try:
        entry = _entry(event)
    except (KeyError, TypeError, AttributeError):  # another version wrote it
        entry = _whole(event)
    yield f"## {event.seq}. {entry.heading}"
    yield ""
    yield _time(event.at)
    yield ""
    if entry.body is not None:
        yield _fenced(entry.body)
        yield ""


def _entry(event: Event) -> Entry:
    if event.v > EVENT_VERSION or event.type not in CORE_EVENTS:
        return _whole(event)
    data = event.data
    match event.type:
        case "message_received":
            sender = f" from {_code(data['from'])}" if data.get("from") else ""
            where = f" ({_code(data['channel'])})" if data.get("channel") else ""
            return Entry(f"Message{sender}{where}", data.get("text"))
        case "next_step_chosen":
            who = f"{data['by']} {_code(data['person'])}" if data.get("person") else data["by"]
            return Entry(f"{_code(data['intent'])} chosen by {who}", data["args"] or None)
        case "contact_requested":
            return _asked(data)
        case "contact_answered":
            said = f"{_code(data['decision'])} by {_code(data['by'])}"
            return Entry(f"{_code(data['contact'])}: {said}", data.get("comment"))
        case "contact_closed":
            return _closed(data)
        case "limit_reached":
            return Entry(f"Limit reached: {_code(data['limit'])}", _rest(data, "limit", "by"))
        case "finished":
            return Entry("Finished", data.get("message"))
        case _:
            return _of_step(event)


def _asked(data: dict[str, Json]) -> Entry:
    people = _people(data["to"])
    heading = f"{data['kind'].capitalize()} {_code(data['contact'])} asked of {people}"
    shown = ("question", "intent", "args", "risk", "deadline", "digest")
    return Entry(heading, {k: data[k] for k in shown if data.get(k) not in (None, "", {})} or None)


def _people(policy: dict[str, Json]) -> str:
    """As `Policy` reads, each name as code: it may come from anywhere."""
    each = [_code(one) if isinstance(one, str) else _group(one) for one in policy["people"]]
    many = f", {policy['needed']} of them" if policy["needed"] > 1 else ""
    others = ", but nobody who asked for it" if policy.get("four_eyes") else ""
    return " or ".join(each) + many + others


def _group(one: dict[str, Json]) -> str:
    return f"role {_code(one['role'])}" if "role" in one else f"({_people(one)})"


def _closed(data: dict[str, Json]) -> Entry:
    who = f" by {_code(data['by'])}" if data.get("by") else ""
    body = {k: data[k] for k in ("comment", "answer", "args") if data.get(k) is not None}
    outcome = str(data["outcome"]).replace("_", " ")
    return Entry(f"{_code(data['contact'])} {_code(outcome)}{who}", body or None)


_HEADINGS: Mapping[str, str] = {
    "tool_started": "started",
    "tool_returned": "returned",
    "tool_failed": "failed",
    "tool_outcome_unknown": "was cut off: nobody knows whether it ran",
    "step_settled": "settled",
    "timer_set": "sleeps",
    "timer_fired": "woke up",
    "signal_awaited": "waits for a signal",
    "child_launched": "launched a thread",
    "child_finished": "heard back from its thread",
}


def _of_step(event: Event) -> Entry:
    data = event.data
    if event.type not in _HEADINGS:
        return _whole(event)
    about = f"{_code(data['intent'])} ({_code(data['step'])})" if "intent" in data else data["step"]
    if event.type in {"tool_returned", "step_settled"} and "result" in data:
        return Entry(f"{about} {_HEADINGS[event.type]}", data["result"])
    if event.type == "tool_failed":
        return Entry(f"{about} failed", data["error"])
    return Entry(f"{about} {_HEADINGS[event.type]}", _rest(data, "intent", "step"))


def _whole(event: Event) -> Entry:
    return Entry(_code(event.type), event.data or None)


def _rest(data: dict[str, Json], *without: str) -> Json:
    return {k: v for k, v in data.items() if k not in without} or None


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _code(value: Json) -> str:
    """One line, as code: nothing in it is Markdown."""
    text = value if isinstance(value, str) else json.dumps(value)
    shown = text if text.isprintable() else json.dumps(text)[1:-1]
    ticks = "`" * (_longest_ticks(shown) + 1)
    space = " " if "`" in shown or not shown.strip() else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def _fenced(value: Json) -> str:
    is_text = isinstance(value, str) and _is_plain(value)
    body = cast(str, value) + "\n" if is_text else to_yaml(value)
    fence = "`" * max(FENCE_MIN, _longest_ticks(body) + 1)
    return f"{fence}{'text' if is_text else 'yaml'}\n{body}{fence}"


def _is_plain(text: str) -> bool:
    """Whether a person sees all of the text; else it is written with escapes."""
    return bool(text.strip()) and all(line.isprintable() for line in text.split("\n"))


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)
