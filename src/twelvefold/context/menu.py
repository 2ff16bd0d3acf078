"""The context menu: pure functions from events to events, to be put in a row by your own renderer.

The log is not the context. What one of these leaves out stays in the log, and is said in the
context:
a `left_out` event stands where events were dropped, a squashed text ends with how much is missing.

Hiding or squashing something that was sent before changes the bytes in front of it and costs the
provider's prompt cache. The default rendering therefore does it only where a `context_compacted`
event
says so; call these yourself when the shorter text is worth more than the cache.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

from twelvefold.context.texts import Redact, redacted_json
from twelvefold.thread import Event, Json

Events = Sequence[Event]

_FAILURES = frozenset({"tool_failed", "tool_outcome_unknown"})
_NAMES = frozenset({"intent", "channel", "outcome", "step", "contact", "child", "signal"})
_RESULTS = frozenset({"tool_returned", "step_settled", "child_finished", "signal_received"})


def compacted(events: Events) -> list[Event]:
    """The newest `context_compacted` first, then what came after the events it sums up."""
    summaries = [event for event in events if compaction(event)]
    if not summaries:
        return list(events)
    newest = summaries[-1]
    rest = [e for e in events if e.seq > newest.data["upto"] and not compaction(e)]
    return [newest, *rest]


def compaction(event: Event) -> Event | None:
    """The event itself when it sums up earlier ones."""
    sums_up = event.type == "context_compacted" and isinstance(event.data.get("upto"), int)
    return event if sums_up else None


def newest_compaction(before: Event | None, event: Event) -> Event | None:
    """The newest event that sums up others, for `Thread.running`."""
    return (compaction(event) if event.type == "context_compacted" else None) or before


def hide_resolved_errors(events: Events) -> list[Event]:
    """Without failures of an intent that returned later, and without bad replies before a good
    one."""
    hidden: set[int] = set()
    failed: dict[str, list[int]] = {}
    for event in events:
        if event.type in _FAILURES:
            failed.setdefault(event.data["intent"], []).append(event.seq)
        elif event.type == "model_failed":
            failed.setdefault("", []).append(event.seq)
        elif event.type == "tool_returned":
            hidden.update(failed.pop(event.data["intent"], ()))
        elif event.type == "next_step_chosen":
            hidden.update(failed.pop("", ()))
    return [event for event in events if event.seq not in hidden]


def squash_results(events: Events, *, chars_max: int, keep_last: int = 1) -> list[Event]:
    """Texts in results cut to `chars_max` each, but for the newest `keep_last` results."""
    results = [event.seq for event in events if event.type in _RESULTS]
    whole = set(results[len(results) - keep_last :]) if keep_last else set[int]()
    return [
        replace(event, data=cast("dict[str, Json]", _squashed(event.data, chars_max)))
        if event.type in _RESULTS and event.seq not in whole
        else event
        for event in events
    ]


def drop_older_than(events: Events, *, age: timedelta) -> list[Event]:
    """Only events at most `age` older than the newest one."""
    if not events:
        return []
    oldest = events[-1].at - age
    return _with_gaps(events, [event for event in events if event.at >= oldest])


def keep_newest(events: Events, *, count: int, first: int = 1) -> list[Event]:
    """The `first` events, which say what the work is, and the newest `count`."""
    if len(events) <= first + count:
        return list(events)
    return _with_gaps(events, [*events[:first], *events[len(events) - count :]])


def without(events: Events, *types: str) -> list[Event]:
    """Without events of these types. Nothing stands in their place: you named them."""
    return [event for event in events if event.type not in types]


def redacted(events: Events, redact: Redact | None = None) -> list[Event]:
    """With every text redacted, by the ready patterns or by a function of yours. Names of fields,
    intents and channels stay: they say what an event is."""
    if redact is None:
        from twelvefold.context.redaction import redact  # its patterns take time to compile
    return [
        replace(
            event,
            data={
                name: value if name in _NAMES else redacted_json(value, redact)
                for name, value in event.data.items()
            },
        )
        for event in events
    ]


def left_out(gap: Events) -> list[Event]:
    """The event that stands for those of a gap, none for none: how many, and from where to where in
    the log."""
    if not gap:
        return []
    first, last = gap[0], gap[-1]
    said: dict[str, Json] = {"events": len(gap), "from": first.seq, "to": last.seq}
    return [Event(last.seq, "left_out", said, last.at)]


def _squashed(value: Json, chars_max: int) -> Json:
    match value:
        case str() if len(value) > chars_max:
            return f"{value[:chars_max]} ... ({len(value) - chars_max} more characters)"
        case dict():
            items = cast("dict[str, Json]", value).items()
            return {name: _squashed(item, chars_max) for name, item in items}
        case list():
            return [_squashed(item, chars_max) for item in cast("list[Json]", value)]
        case _:
            return value


def _with_gaps(events: Events, kept: Sequence[Event]) -> list[Event]:
    """`kept` with a `left_out` event wherever events in between are gone."""
    seqs = {event.seq for event in kept}
    shown: list[Event] = []
    gap: list[Event] = []
    for event in events:
        if event.seq not in seqs:
            gap.append(event)
            continue
        shown += left_out(gap)
        gap = []
        shown.append(event)
    return shown + left_out(gap)
