"""The events of a thread as rows: one for each step with all that became of it, and one for each
thing that happened by itself. Pure; texts are made later, and only for rows that are shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from twelvefold.steps import CORE_EVENTS
from twelvefold.thread import EVENT_VERSION, Event, Thread, to_text

Kind = Literal["step", "message", "model", "other"]
Show = Literal["all", "messages", "steps", "people", "errors", "other"]

EVENTS_PER_PAGE = 500

ERRORS = frozenset(
    {"tool_failed", "tool_outcome_unknown", "model_failed", "advance_failed"}
    | {"contact_not_sent", "answer_refused", "contact_voided", "limit_reached"}
)
"""What went wrong, or was refused."""


@dataclass(slots=True)
class Row:
    """Events that belong together, oldest first. `step` is the id of the step, of a step's row."""

    kind: Kind
    events: list[Event]
    step: str = ""

    @property
    def first(self) -> Event:
        return self.events[0]

    @property
    def seqs(self) -> list[int]:
        return [event.seq for event in self.events]

    @property
    def has_error(self) -> bool:
        return any(event.type in ERRORS for event in self.events)

    @property
    def asks_people(self) -> bool:
        return any(event.type == "contact_requested" for event in self.events)


def rows_of(thread: Thread) -> list[Row]:
    """Every event is in exactly one row; rows are in the order of their first events."""
    rows: list[Row] = []
    steps: dict[str, Row] = {}
    for event in thread.events:
        if event.v > EVENT_VERSION or event.type not in CORE_EVENTS:
            rows.append(Row("other", [event]))  # its data may mean anything
        elif event.type == "next_step_chosen":
            name = f"s{len(steps) + 1}"
            row = steps[name] = Row("step", [event], name)
            rows.append(row)
        elif (of := steps.get(_step(event))) is not None:
            of.events.append(event)
        else:
            rows.append(Row(_kind(event), [event]))
    return rows


def _step(event: Event) -> str:
    """The step that an event is about; contacts are numbered within their step."""
    step = event.data.get("step")
    if step is None:
        step = str(event.data.get("contact") or "").rpartition(".")[0]
    return str(step)


def _kind(event: Event) -> Kind:
    if event.type == "message_received":
        return "message"
    return "model" if event.type.startswith("model_") else "other"


_FITS: dict[Show, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "messages": lambda row: row.kind == "message",
    "steps": lambda row: row.kind == "step",
    "people": lambda row: row.asks_people,
    "errors": lambda row: row.has_error,
    "other": lambda row: row.kind in ("model", "other"),
}

SHOWS: tuple[Show, ...] = tuple(_FITS)


def chosen_rows(thread: Thread, rows: Sequence[Row], show: Show, search: str) -> list[Row]:
    """Those of one kind whose events hold the words, whatever their case."""
    fits, words = _FITS[show], search.strip().casefold()
    found = [row for row in rows if fits(row)]
    if not words:
        return found
    texts = thread.each(_searched)
    return [row for row in found if any(words in texts[seq - 1] for seq in row.seqs)]


def _searched(event: Event) -> str:
    return f"{event.type} {to_text(event.data)}".casefold()


def pages_of(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Pages of about `EVENTS_PER_PAGE` events. A page that is full stays as it is when more comes;
    there is at least one."""
    return list(_cut(rows)) or [[]]


def _cut(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    begin = events = 0
    for place, row in enumerate(rows, start=1):
        events += len(row.events)
        if events >= EVENTS_PER_PAGE or place == len(rows):
            yield rows[begin:place]
            begin, events = place, 0


def page_with(pages: Sequence[Sequence[Row]], seq: int) -> int | None:
    """The number of the page, from 1, that holds this event."""
    for number, page in enumerate(pages, start=1):
        if any(seq in row.seqs for row in page):
            return number
    return None
