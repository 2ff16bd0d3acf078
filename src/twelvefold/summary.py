"""What lists need to know of a thread, folded event by event without its agent.

`summarize` needs no step classes and no code of the user's, so a store can keep a summary beside
each
log in the append's own transaction, and rebuild it from the log at any time.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Literal

from twelvefold.thread import DELIVERY_RECORDS, EVENT_VERSION, Event, Json, to_iso

Status = Literal["running", "waiting", "paused", "finished", "cancelled", "failed", "erased"]

TITLE_CHARS_MAX = 80
SHORT_CHARS = 6


def short(thread_id: str) -> str:
    """What is shown of a thread id: the ending of its root, and the steps that launched it."""
    root, dot, steps = thread_id.partition(".")
    return root[-SHORT_CHARS:] + dot + steps


@dataclass(slots=True)
class Summary:
    """Counts and waits of one thread. `waits` maps what is awaited to the step that waits;
    `signals` counts those that no step has taken yet."""

    created_at: str = ""
    updated_at: str = ""
    title: str = ""
    steps: int = 0
    tokens: int = 0
    cost: float = 0.0
    waits: dict[str, str] = field(default_factory=lambda: {})
    signals: dict[str, int] = field(default_factory=lambda: {})
    unread: list[int] = field(default_factory=lambda: [])
    paused: bool = False
    limited: bool = False
    failed: str | None = None
    finished: bool = False
    cancelled: bool = False
    erased: bool = False

    @property
    def status(self) -> Status:
        if self.erased:
            return "erased"
        if self.cancelled:
            return "cancelled"
        if self.paused or self.limited:
            return "paused"
        if self.failed is not None:
            return "failed"
        if self.finished:
            return "finished"
        return "waiting" if self.waits else "running"

    def to_data(self) -> dict[str, Json]:
        return asdict(self)


def summarize(
    events: Iterable[Event], summary: Summary | None = None, *, newest_at: str | None = None
) -> Summary:
    """Fold `events` into `summary` (changed in place and returned), or into a new one.

    `newest_at`: the time of the last one as text, where it is known.
    """
    summary = Summary() if summary is None else summary
    event = None
    for event in events:
        summary.created_at = summary.created_at or to_iso(event.at)
        _apply(summary, event)
    if event is not None:
        summary.updated_at = newest_at or to_iso(event.at)
    return summary


def erased_summary(summary: Summary) -> Summary:
    """What is left of a summary when the data of all its events is gone."""
    return Summary(created_at=summary.created_at, updated_at=summary.updated_at, erased=True)


def _apply(summary: Summary, event: Event) -> None:
    if event.type not in DELIVERY_RECORDS and event.type != "advance_failed":
        summary.failed = None  # a failed thread is tried again on any new event
    if event.v > EVENT_VERSION:
        return
    if event.type not in _BESIDE_WAITS:
        _apply_wait(summary, event)
    _apply_progress(summary, event)


_BESIDE_WAITS = frozenset({"message_received", "next_step_chosen", "tool_started"})
"""Two of three events: they begin no wait and end none, which `_apply_wait` finds out last."""


def _apply_wait(summary: Summary, event: Event) -> None:
    data, waits = event.data, summary.waits
    match event.type:
        case "contact_requested":
            waits[data["contact"]] = data["step"]
        case "contact_closed":
            waits.pop(data["contact"], None)
        case "timer_set":
            waits[f"timer:{data['timer']}"] = data["step"]
        case "timer_fired":
            waits.pop(f"timer:{data['timer']}", None)
        case "signal_awaited" | "signal_received":
            _apply_signal(summary, event)
        case "child_launched":
            waits[f"child:{data['child']}"] = data["step"]
        case "child_finished":
            waits.pop(f"child:{data['child']}", None)
        case "step_settled" | "tool_returned" | "tool_failed":  # a late outcome settles it too
            for wait in [w for w, step in waits.items() if step == data["step"]]:
                del waits[wait]
        case "finished" | "cancelled" | "forked" | "imported":
            waits.clear()
        case _:
            pass


def _apply_signal(summary: Summary, event: Event) -> None:
    """As the fold does: a signal ends the wait of the oldest step, or is kept for the next one."""
    name, waits, kept = event.data["signal"], summary.waits, summary.signals
    if event.type == "signal_awaited" and not kept.get(name):
        waits[f"signal:{name}:{event.data['step']}"] = event.data["step"]
    elif event.type == "signal_awaited":
        kept[name] -= 1
    elif waiting := [step for wait, step in waits.items() if wait == f"signal:{name}:{step}"]:
        oldest = min(waiting, key=lambda step: (len(step), step))  # s9 before s10
        del waits[f"signal:{name}:{oldest}"]
    else:
        kept[name] = kept.get(name, 0) + 1


def _apply_progress(summary: Summary, event: Event) -> None:
    data = event.data
    match event.type:
        case "message_received":
            summary.title = summary.title or str(data.get("text", ""))[:TITLE_CHARS_MAX]
            summary.unread.append(event.seq)
            summary.finished = summary.limited = False
        case "next_step_chosen":
            summary.steps += 1
            _add_usage(summary, data)
            if data.get("by") == "model":
                saw = event.seq if event.after is None else event.after
                summary.unread = [seq for seq in summary.unread if seq > saw]
        case "contact_answered":
            summary.limited = summary.limited and data.get("contact") not in summary.waits
        case "model_answered" | "model_failed" | "model_superseded":
            _add_usage(summary, data)
        case "finished":
            summary.unread = [seq for seq in summary.unread if seq > data["saw"]]
            summary.finished = not summary.unread
        case "paused":
            summary.paused = True
        case "limit_reached":
            summary.limited = True
        case "resumed":
            summary.paused = summary.limited = False
        case "advance_failed":
            summary.failed = str(data["error"])
        case "cancelled":
            summary.cancelled = True
        case "erased":
            summary.erased = True
        case _:
            pass


def _add_usage(summary: Summary, data: dict[str, Json]) -> None:
    usage: dict[str, Json] = data.get("usage") or {}
    summary.tokens += usage.get("input", 0) + usage.get("output", 0)
    summary.cost += usage.get("cost", 0.0)
