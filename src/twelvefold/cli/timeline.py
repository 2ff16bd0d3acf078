"""Events of a family of threads as they come, a line for each step."""

from collections.abc import Mapping

from twelvefold.cli.out import CELL_CHARS_MAX, Out, shortened
from twelvefold.notices.events import compact, said, what
from twelvefold.summary import short
from twelvefold.thread import EVENT_VERSION, Event

WHAT_CHARS = 22
"""The width of the column of intents and event types."""

# What is part of another line, or follows from it.
_QUIET = frozenset({"tool_started", "contact_answered", "contact_sent", "signal_awaited"})
_OUTCOMES = frozenset({"tool_returned", "tool_failed", "step_settled", "finished"})
_WAITS: Mapping[str, str] = {"approval": "waits for approval", "question": "waits for an answer"}


class Timeline:
    """Writes events. A choice is held until it is known what became of it: then one line says both.
    Of several choices at once each has its own line, and each outcome: which is whose is not known.

    `thread_id` is the thread shown first; another one is announced before its lines.
    """

    def __init__(self, out: Out, thread_id: str) -> None:
        self.out, self._shown = out, thread_id
        self._held: tuple[str, Event] | None = None
        self._choosing: str | None = None  # the thread whose newest event is a choice
        self._started: dict[tuple[str, str], Event] = {}

    def add(self, thread_id: str, event: Event) -> None:
        among, self._choosing = self._choosing == thread_id, None
        if event.v > EVENT_VERSION:
            self.flush()
            self._line(thread_id, event.seq, event.type, said(event, thread_id))
            return
        if event.type == "tool_started":
            self._started[thread_id, str(event.data["step"])] = event
        if event.type in _QUIET:
            return
        if event.type == "next_step_chosen":
            self.flush()
            self._held, self._choosing = (thread_id, event), thread_id
            if among:
                self.flush()
        elif self._held is not None and self._held[0] == thread_id and _tells_outcome(event):
            chosen, self._held = self._held[1], None
            self._line(thread_id, chosen.seq, what(chosen), self._both(thread_id, chosen, event))
        else:
            self.flush()
            text = said(event, thread_id) + self._took(thread_id, event)
            self._line(thread_id, event.seq, what(event), text)

    def flush(self) -> None:
        """Write what is held: nothing more is known of it yet."""
        if self._held is not None:
            (thread_id, event), self._held = self._held, None
            self._line(thread_id, event.seq, what(event), said(event, thread_id))

    def _both(self, thread_id: str, chosen: Event, event: Event) -> str:
        if event.type == "finished":
            return compact(event.data["message"])
        args = shortened(said(chosen, thread_id)) + "  " if chosen.data["args"] else ""
        if event.type == "contact_requested":
            return args + _WAITS.get(str(event.data["kind"]), said(event, thread_id))
        return args + said(event, thread_id) + self._took(thread_id, event)

    def _took(self, thread_id: str, event: Event) -> str:
        if event.type not in _OUTCOMES:
            return ""
        started = self._started.pop((thread_id, str(event.data.get("step"))), None)
        return "" if started is None else f"  {(event.at - started.at).total_seconds():.1f}s"

    def _line(self, thread_id: str, seq: int, about: str, text: str) -> None:
        if thread_id != self._shown:
            self._shown = thread_id
            self.out.line(f"  {short(thread_id)}")
        self.out.line(f"{seq:>3} {about:<{WHAT_CHARS}} {shortened(text, 2 * CELL_CHARS_MAX)}")


def _tells_outcome(event: Event) -> bool:
    return event.type in _OUTCOMES or event.type == "contact_requested"
