"""Who decided what, when, on which channel and seeing which digest: a row per contact event."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from twelvefold.encoding import Json, canonical, from_text

_WHAT: Mapping[str, str] = {
    "contact_requested": "asked",
    "contact_answered": "answered",
    "answer_refused": "refused",
    "contact_closed": "closed",
    "contact_voided": "voided",
    "contact_reassigned": "reassigned",
    "contact_escalated": "escalated",
    "erased": "erased",
}
_COPIES = ("forked", "imported")
CONTACT_EVENTS = (*_WHAT, *_COPIES)


class Said(NamedTuple):
    """A contact event as it is stored; `data` is None once it was erased."""

    tenant: str
    thread: str
    agent: str
    seq: int
    type: str
    key: str | None
    at: str
    data: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A row. A text is empty, and `to`, `args` and `answer` are None, where the event says nothing;
    `docs/audit.md` explains each."""

    at: str
    what: str
    decision: str
    by: str
    channel: str
    assurance: str
    to: Json
    tenant: str
    thread: str
    contact: str
    event: int
    agent: str
    intent: str
    args: Json
    digest: str
    answer: Json
    comment: str
    origin: str


def decisions(
    said: Iterable[Said], *, by: str | None = None, since: str | None = None
) -> Iterator[Decided]:
    """The rows of what was said, which is in the order of time; `since` is a time as stored."""
    asked: dict[tuple[str, str, str], Mapping[str, Json]] = {}
    events = list(said)
    copies = _copies(events)
    for one in events:
        if one.type in _COPIES:
            continue
        data = _data(one)
        name = (one.tenant, one.thread, str(data.get("contact")))
        if one.type == "contact_requested":
            asked[name] = data
        row = _row(one, data, asked.get(name, {}), copies.get((one.tenant, one.thread), ()))
        if (since is None or row.at >= since) and (by is None or row.by == by):
            yield row


Copies = Sequence[tuple[int, str]]
"""Up to which event a log was brought by a fork or an import, and by which."""


def _copies(events: Iterable[Said]) -> dict[tuple[str, str], Copies]:
    """By thread, the newest last: what a file says is no decision that was made here."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for one in events:
        if one.type in _COPIES:
            origin = f"{one.type} from {_text(_data(one).get('from'))}".removesuffix(" from ")
            found.setdefault((one.tenant, one.thread), []).append((one.seq, origin))
    return {thread: sorted(copies) for thread, copies in found.items()}


def _data(one: Said) -> dict[str, Json]:
    if one.data is None:
        return {}
    try:
        return from_text(one.data)
    except ValueError:
        return {"why": "somebody wrote over this event: twelvefold threads verify"}


def _row(one: Said, data: Mapping[str, Json], asked: Mapping[str, Json], copies: Copies) -> Decided:
    contact, by = _in_key(one.key) if one.data is None else (data.get("contact"), data.get("by"))
    what = "erased" if one.data is None else _WHAT[one.type]
    return Decided(
        at=one.at,
        what=what,
        decision=_decision(one, data),
        by=_text(by),
        channel=_text(data.get("channel")),
        assurance=_text(data.get("assurance")),
        to=data.get("to"),
        tenant=one.tenant,
        thread=one.thread,
        contact=f"{one.thread}.{contact}" if contact else "",
        event=one.seq,
        agent=one.agent,
        intent=_text(data.get("intent") or asked.get("intent")),
        args=data.get("args", asked.get("args")),
        digest=_text(data.get("digest") or asked.get("digest")),
        answer=data.get("answer", data.get("choice")),
        comment=_comment(data),
        origin=next((origin for seq, origin in reversed(copies) if one.seq < seq), ""),
    )


def _decision(one: Said, data: Mapping[str, Json]) -> str:
    """What was decided; of an erased event, which kind it was."""
    if one.data is None:
        return _WHAT.get(one.type, one.type)
    return _text(data.get("decision") or data.get("outcome"))


def _comment(data: Mapping[str, Json]) -> str:
    found = data.get("comment") or data.get("why") or data.get("reason")
    instead = data.get("instead_of")
    return _text(found or (f"instead of {instead}" if instead else None))


def _in_key(key: str | None) -> tuple[str, str]:
    """The contact and the person, which the key of an erased event still names."""
    found = re.fullmatch(
        r"(?:vote|closed|voided|escalated):([^:]+)(?::(.*))?", key or "", re.DOTALL
    )
    return ("", "") if found is None else (found[1], found[2] or "")


def _text(value: Json) -> str:
    return "" if value is None else value if isinstance(value, str) else canonical(value)


# As CSV

_FORMULA = re.compile(r"[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""What a spreadsheet may run, also behind white space and in full width."""


def to_csv(rows: Iterable[Decided]) -> Iterator[str]:
    """RFC 4180, a header line first. Each cell is quoted, and what a spreadsheet might run begins
    with `'`."""
    yield _csv_line([field.name for field in fields(Decided)])
    for row in rows:
        cells = [getattr(row, field.name) for field in fields(Decided)]
        yield _csv_line([_harmless(_text(cell)) for cell in cells])


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _csv_line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue()
