"""Two logs side by side, without what may differ between two runs of the same work.

`facts` drops times, keys, delivery and recovery events (an unknown outcome, the question about it
and
its answer), where a copy began, and the number of attempts. A run that a person or `reconcile`
settled counts as returned. `diff` also drops what a model call cost and the hash of its prompt:
they
differ wherever anything before them does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from twelvefold.thread import DELIVERY_RECORDS, Event, Json, Thread, canonical

Fact = tuple[str, dict[str, Json]]

ALIGNED_MAX = 2_000
"""Events, after the part that is equal, up to which logs are aligned; beyond, place by place."""

_VOLATILE = frozenset({"attempt", "deadline", "due", "latency_s", "digest", "reconciled", "saw"})
_LEFT_OUT = DELIVERY_RECORDS | {"tool_outcome_unknown", "model_superseded"}
_FOLLOWS = frozenset({"prompt", "usage"})
_COPIES = frozenset({"forked", "imported"})


@dataclass(frozen=True, slots=True)
class Row:
    """One event of each log that stand for each other; None where a log has no such event."""

    a: Event | None
    b: Event | None
    same: bool


@dataclass(frozen=True, slots=True)
class Diff:
    """Every compared event of both logs, in order. `first` is the first row that differs."""

    rows: Sequence[Row]

    @property
    def first(self) -> Row | None:
        return next((row for row in self.rows if not row.same), None)

    @property
    def same(self) -> bool:
        return self.first is None


def facts(events: Sequence[Fact]) -> list[Fact | None]:
    """What of each event is compared; None where nothing is."""
    asked = {data["contact"] for type, data in events if _asks_outcome(type, data)}
    return [_fact(type, data, asked) for type, data in events]


def _asks_outcome(type: str, data: dict[str, Json]) -> bool:
    return type == "contact_requested" and data["kind"] == "outcome"


def _fact(type: str, data: dict[str, Json], asked: set[Json]) -> Fact | None:
    if type in _LEFT_OUT:
        return None
    if type == "tool_started" and data["attempt"] > 1:
        return None
    if type == "tool_failed" and data.get("run_again"):
        return None
    if data.get("contact") in asked:
        if type != "contact_closed" or data["outcome"] != "it_ran":
            return None
        type = "tool_returned"
        data = {"step": data["step"], "intent": data["intent"], "result": data.get("answer")}
    return type, {name: value for name, value in data.items() if name not in _VOLATILE}


def diff(a: Thread, b: Thread) -> Diff:
    """Compare two threads event by event. The ids of the threads themselves do not count."""
    left, right = _compared(a), _compared(b)
    start = _common(zip(left, right, strict=False))
    rest = min(len(left), len(right)) - start
    end = min(_common(zip(reversed(left), reversed(right), strict=False)), rest)
    rows = [_row(one, two) for one, two in zip(left[:start], right[:start], strict=True)]
    rows += _aligned(left[start : len(left) - end], right[start : len(right) - end])
    tails = (left[len(left) - end :], right[len(right) - end :])
    return Diff([*rows, *(_row(one, two) for one, two in zip(*tails, strict=True))])


Compared = tuple[Event, str]


def _compared(thread: Thread) -> list[Compared]:
    events = thread.events
    found = facts([(event.type, event.data) for event in events])
    return [
        (event, _text(fact, thread.id))
        for event, fact in zip(events, found, strict=True)
        if fact is not None and event.type not in _COPIES
    ]


def _text(fact: Fact, thread_id: str) -> str:
    """The fact as text; what the thread calls its children is said without its own id."""
    type, data = fact[0], {k: v for k, v in fact[1].items() if k not in _FOLLOWS}
    if isinstance(child := data.get("child"), str):
        data = data | {"child": child.removeprefix(f"{thread_id}.")}
    return f"{type} {canonical(data)}"


def _common(pairs: Iterable[tuple[Compared, Compared]]) -> int:
    count = 0
    for one, two in pairs:
        if one[1] != two[1]:
            break
        count += 1
    return count


def _row(one: Compared | None, two: Compared | None) -> Row:
    same = one is not None and two is not None and one[1] == two[1]
    return Row(one[0] if one else None, two[0] if two else None, same)


def _aligned(left: Sequence[Compared], right: Sequence[Compared]) -> Iterator[Row]:
    if max(len(left), len(right)) > ALIGNED_MAX:
        yield from _by_place(left, right)
        return
    texts = [text for _, text in left], [text for _, text in right]
    for _, a, b, c, d in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        yield from _by_place(left[a:b], right[c:d])


def _by_place(left: Sequence[Compared], right: Sequence[Compared]) -> Iterator[Row]:
    for n in range(max(len(left), len(right))):
        yield _row(left[n] if n < len(left) else None, right[n] if n < len(right) else None)
