"""What a row of the timeline says: who chose what, what became of it, and the waits between.

A wait for people, a time, a signal or another thread is a gap: who, since when, how it ended.
Texts are raw; templates make them safe. Pure: `now` is an argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from twelvefold.contacts import ago
from twelvefold.notices.events import compact, said
from twelvefold.policy import Policy
from twelvefold.server.pages.rows import ERRORS, Row
from twelvefold.thread import EVENT_VERSION, Event, Json

TEXT_CHARS_MAX = 240
"""A longer text ends in how much is not shown; the event itself shows all of it."""

_KINDS: Mapping[str, str] = {
    "approval": "waits for approval",
    "question": "asks",
    "outcome": "asks what became of it",
    "repair": "asks for a repair",
}
_OUTCOMES = frozenset(
    {"tool_returned", "tool_failed", "tool_outcome_unknown", "step_settled"}
    | {"child_finished", "finished", "model_answered", "model_failed"}
)
_PHRASES: Mapping[str, str] = {
    "signal_received": "signal",
    "model_failed": "the model failed",
    "model_superseded": "a reply too late",
    "context_compacted": "summed up",
    "limit_reached": "limit reached",
    "advance_failed": "failed",
    "finished": "finished",
    "paused": "paused",
    "resumed": "resumed",
    "cancelled": "cancelled",
    "forked": "forked",
    "imported": "imported",
    "erased": "erased",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A wait. `until` is None while it lasts; `since` and the end say how long. `seq` began it."""

    what: str
    since: datetime
    until: datetime | None
    lasted: str
    ended: str
    seq: int
    contact: str = ""
    comment: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One row, in words. `seq` names it; `state` is `good`, `bad`, `open` or empty."""

    seq: int
    seqs: tuple[int, ...]
    at: datetime
    kind: str
    title: str
    who: str
    text: str
    gaps: tuple[Gap, ...] = ()
    outcome: str = ""
    took: str = ""
    state: str = ""
    child: str = ""


def told(row: Row, thread_id: str, now: datetime) -> Told:
    """`now`: until when an open wait has lasted."""
    try:
        return _alone(row, thread_id) if row.kind != "step" else _step(row, thread_id, now)
    except (KeyError, TypeError, ValueError, AttributeError):  # not written by us: shown as it is
        text = cut(compact(row.first.data))
        return Told(
            row.first.seq, tuple(row.seqs), row.first.at, row.kind, row.first.type, "", text
        )


def _step(row: Row, thread_id: str, now: datetime) -> Told:
    chosen, outcome = row.first, _newest(row.events, _OUTCOMES)
    gaps = tuple(_gaps(row.events, now))
    return Told(
        seq=chosen.seq,
        seqs=tuple(row.seqs),
        at=chosen.at,
        kind="step",
        title=str(chosen.data.get("intent")),
        who=_chooser(chosen.data),
        text=cut(in_a_line(chosen.data.get("args"))),
        gaps=gaps,
        outcome="" if outcome is None else cut(_outcome(outcome, thread_id)),
        took=_took(row.events, outcome),
        state=_state(outcome, gaps),
        child=str(_of(row.events, "child_launched").get("child", "")),
    )


def _alone(row: Row, thread_id: str) -> Told:
    event = row.first
    bad = "bad" if event.type in ERRORS else ""
    title, who, text = _PHRASES.get(event.type, event.type), "", said(event, thread_id)
    if event.type == "message_received" and event.v <= EVENT_VERSION:
        title = f"{event.data.get('channel') or 'user'} message"
        who, text = str(event.data.get("from") or ""), _text(event.data.get("text"))
    elif event.type in ("paused", "resumed", "cancelled"):
        who, text = str(event.data.get("by") or ""), str(event.data.get("reason") or "")
    return Told(event.seq, (event.seq,), event.at, row.kind, title, who, cut(text), state=bad)


def _chooser(data: Mapping[str, Json]) -> str:
    by = str(data.get("by"))
    return str(data.get("person") or by) if by == "human" else by


def in_a_line(args: Json) -> str:
    """`tag: v1, euros: 90`: arguments for people; anything else as JSON."""
    if not isinstance(args, dict):
        return "" if args is None else compact(args)
    named = cast("Mapping[str, Json]", args)
    return ", ".join(f"{name}: {_text(value)}" for name, value in named.items())


def _text(value: Json) -> str:
    return value if isinstance(value, str) else compact(value)


def cut(text: str) -> str:
    if len(text) <= TEXT_CHARS_MAX:
        return text
    return f"{text[:TEXT_CHARS_MAX]} … (+{len(text) - TEXT_CHARS_MAX} characters)"


def _newest(events: Sequence[Event], types: frozenset[str]) -> Event | None:
    return next((event for event in reversed(events) if event.type in types), None)


def _of(events: Sequence[Event], type: str) -> Mapping[str, Json]:
    found = _newest(events, frozenset({type}))
    return {} if found is None else found.data


def _outcome(event: Event, thread_id: str) -> str:
    data = event.data
    match event.type:
        case "tool_returned" if "result" in data:
            return _text(data["result"])
        case "step_settled" if data.get("result") is not None:
            return _text(data["result"])
        case "tool_failed" | "model_failed":
            return str(data.get("error"))
        case "child_finished":
            return f"{data.get('status')}: {_text(data.get('result'))}"
        case "finished":
            return str(data.get("message"))
        case _:
            return said(event, thread_id).removeprefix("-> ")


def _took(events: Sequence[Event], outcome: Event | None) -> str:
    started = _newest(events, frozenset({"tool_started"}))
    if started is None or outcome is None or outcome.seq < started.seq:
        return ""
    return seconds(outcome.at - started.at)


def seconds(took: timedelta) -> str:
    """`0.4 s` for what is short, else the largest unit."""
    return f"{took.total_seconds():.1f} s" if took < timedelta(minutes=1) else ago(took)


def _state(outcome: Event | None, gaps: Sequence[Gap]) -> str:
    if any(gap.until is None for gap in gaps):
        return "open"
    if outcome is not None:
        return "bad" if outcome.type in ERRORS else "good"
    return "bad" if gaps and gaps[-1].ended.startswith(("denied", "expired", "voided")) else ""


# Waits


def _gaps(events: Sequence[Event], now: datetime) -> list[Gap]:
    """Each wait of a step, with the event that ended it."""
    return [_gap(event, events, now) for event in events if event.type in _BEGINS]


_BEGINS: Mapping[str, tuple[str, str]] = {
    "contact_requested": ("contact_closed", "contact"),
    "timer_set": ("timer_fired", "timer"),
    "signal_awaited": ("signal_received", "signal"),
    "child_launched": ("child_finished", "child"),
}
"""How a wait begins and ends, and what names it in both events."""


def _gap(begun: Event, events: Sequence[Event], now: datetime) -> Gap:
    type, name = _BEGINS[begun.type]
    ends = [e for e in events if e.type == type and e.data.get(name) == begun.data.get(name)]
    ended = ends[0] if ends else _settled(begun, events)
    until = None if ended is None else ended.at
    closed = ended is not None and ended.type == "contact_closed"
    return Gap(
        what=_what(begun),
        since=begun.at,
        until=until,
        lasted=ago((until or now) - begun.at),
        ended="" if ended is None else _end(ended),
        seq=begun.seq,
        contact=str(begun.data["contact"]) if begun.type == "contact_requested" else "",
        comment=str(ended.data.get("comment") or "") if ended is not None and closed else "",
        notes=tuple(_notes(begun, events)),
    )


def _settled(begun: Event, events: Sequence[Event]) -> Event | None:
    """What else ends every wait of a step."""
    settles = ("step_settled", "tool_returned", "tool_failed")
    return next((e for e in events if e.type in settles and e.seq > begun.seq), None)


def _what(begun: Event) -> str:
    data = begun.data
    match begun.type:
        case "contact_requested":
            asks = _KINDS.get(str(data.get("kind")), "asks")
            of = " of" if asks == "waits for approval" else ""
            question = f": {data['question']}" if data.get("question") else ""
            return cut(f"{asks}{of} {Policy.from_data(data['to'])}{question}")
        case "timer_set":
            return f"sleeps until {data.get('due')}"
        case "signal_awaited":
            return f"waits for the signal {data.get('signal')}"
        case _:
            return f"waits for a thread of {data.get('agent')}: {cut(_text(data.get('task')))}"


def _end(event: Event) -> str:
    data = event.data
    if event.type != "contact_closed":
        return {"timer_fired": "woke", "child_finished": "ended"}.get(event.type, "came")
    who = f" by {data['by']}" if data.get("by") else ""
    channel = f" ({data['channel']})" if data.get("channel") else ""
    answer = data.get("choice") if data.get("choice") is not None else data.get("answer")
    value = "" if answer is None else f": {cut(_text(answer))}"
    return f"{str(data['outcome']).replace('_', ' ')}{who}{channel}{value}"


def _notes(begun: Event, events: Sequence[Event]) -> list[str]:
    """What happened while people were asked."""
    contact = begun.data.get("contact")
    if begun.type != "contact_requested":
        return []
    found = (_note(e) for e in events if e.data.get("contact") == contact)
    return [cut(note) for note in found if note]


def _note(event: Event) -> str:
    data = event.data
    match event.type:
        case "contact_sent":
            return f"sent to {data.get('person') or data.get('to')} by {data.get('channel')}"
        case "contact_not_sent":
            return f"not sent to {data.get('person') or data.get('to')}: {data.get('error')}"
        case "contact_reminded":
            return f"reminder {data.get('reminder')}"
        case "contact_reassigned" | "contact_escalated":
            by = f" by {data['by']}" if data.get("by") else ""
            word = event.type.removeprefix("contact_")
            return f"{word} to {Policy.from_data(data['to'])}{by}"
        case "answer_refused":
            return f"refused {data.get('by')}: {data.get('why')}"
        case "contact_voided":
            return f"the yes is void: {data.get('reason')}"
        case _:
            return ""
