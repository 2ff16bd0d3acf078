"""What must hold of a history that has come to rest, by its log and by the book of effects."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from reporting import twice
from sim_history import History
from sim_processes import Wrong

from twelvefold.audit import Verified, verify
from twelvefold.thread import Event, Thread

DECISIONS = ("next_step_chosen", "tool_started", "contact_requested")
NEWS = ("message_received", "signal_received", "contact_closed", "cancelled", "tool_returned")
ENDS = ("tool_returned", "tool_failed", "tool_outcome_unknown")


def check(history: History) -> None:
    """Raises the first `Wrong` there is."""
    thread = history.app.thread(history.ref.id)
    for found in _all(history, thread):
        raise found


def _all(history: History, thread: Thread) -> Iterator[Wrong]:
    yield from _lost(history, thread)
    yield from _doubled(history, thread)
    yield from _unbidden(history, thread)
    yield from _left_open(history, thread)
    if any(event.type == "advance_failed" for event in thread.events):
        yield Wrong("parked", "a thread that does nothing wrong was parked")
    store = history.client.real
    if store.rebuild().differed:
        yield Wrong("projection", "the lists say something else than the log")
    if not history.tampered and not isinstance(verify(store.recorded(thread.id)), Verified):
        yield Wrong("chain", "the chain of the log does not hold")


def _lost(history: History, thread: Thread) -> Iterator[Wrong]:
    """Acknowledged is a subset of stored, and whatever a tool brought is in the log."""
    for _, event in history.sight.acknowledged:
        stored = thread.events[event.seq - 1] if event.seq <= thread.head else None
        is_there = stored is not None and (stored.type, stored.data) == (event.type, event.data)
        if not is_there and not (event.type == "next_step_chosen" and history.tampered):
            yield Wrong("lost", f"{event.type} at {event.seq} was acknowledged")
    kept = {_run(e) for e in thread.events if e.type == "tool_returned"}
    for process, (_, step), attempt in history.sight.returned:
        if not process.killed and (step, attempt) not in kept:
            yield Wrong("lost", f"the outcome of {step}, attempt {attempt}")


def _doubled(history: History, thread: Thread) -> Iterator[Wrong]:
    texts = [e.data["text"] for e in thread.events if e.type == "message_received"]
    signals = [e.data["signal"] for e in thread.events if e.type == "signal_received"]
    if twice(texts) or twice(signals):
        yield Wrong("duplicated", "a delivery that came twice")
    for type in ("tool_started", "tool_returned"):
        if twice(_run(event) for event in thread.events if event.type == type):
            yield Wrong("duplicated", f"a second {type} of one run")
    if twice(history.book.paid.values()):
        yield Wrong("duplicated", "a payment under two keys")
    if any(count > 1 for count in history.book.shipped.values()):
        yield Wrong("duplicated", "something was shipped twice")
    closed = [e.data["contact"] for e in thread.events if e.type == "contact_closed"]
    if twice(closed):
        yield Wrong("duplicated", "a contact was closed twice")


def _unbidden(history: History, thread: Thread) -> Iterator[Wrong]:
    """Nothing ran without a yes to it, after a cancel, or on what had changed meanwhile."""
    if history.book.unbidden:
        yield Wrong("unbidden", f"{history.book.unbidden[0]} ran without a yes")
    types = [event.type for event in thread.events]
    if "cancelled" in types and "tool_started" in types[types.index("cancelled") :]:
        yield Wrong("unbidden", "a tool was started after the cancel")
    for event in thread.events:
        by_model = event.data.get("by") == "model"  # a reply is a fact, whatever came meanwhile
        if event.type in DECISIONS and event.after is not None and not by_model:
            between = types[event.after : event.seq - 1]
            if any(type in NEWS for type in between):
                yield Wrong("unseen", f"{event.type} at {event.seq} did not see what came before")


def _left_open(history: History, thread: Thread) -> Iterator[Wrong]:
    """Once nothing goes wrong any more, all that was asked for is done, once."""
    state = history.app.state(thread)
    if state.cancelled:
        return
    if state.open:
        yield Wrong("lost", f"{[step.id for step in state.open]} came to no end")
    wanted = Counter({history.first, *history.rest})
    had = Counter(e.data["text"] for e in thread.events if e.type == "message_received")
    if wanted - had:
        yield Wrong("lost", f"the messages {list(wanted - had)}")
    done = {to for _, to in history.book.paid.values()} | {to for _, to in history.book.shipped}
    for _, to in history.book.leave:
        if to not in done and not history.tampered:
            yield Wrong("lost", f"{to} was approved and never done")


def _run(event: Event) -> tuple[Any, Any]:
    return event.data["step"], event.data["attempt"]
