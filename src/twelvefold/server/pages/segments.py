"""A request cut into pieces by where they came from: this text is event 5, that one the prompt.

A piece is an event's when it is, to the byte, what one of the library's renderings shows of it.
Where two events read the same, the newer one is named: contexts leave out what is old.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from twelvefold.context import render_event, render_json, view
from twelvefold.context.tagged import json_text
from twelvefold.messages import FilePart, Message, Part
from twelvefold.thread import Event, Json

_LABEL = r'(?: untrusted="(?:[^"\\\n]|\\.)*")'
_TAGGED = rf"<([a-z_][a-z0-9_]*)(?P<label>{_LABEL}?)>\n.*?\n</\1>\n?"
_PIECE = re.compile(rf"{_TAGGED}|^\{{[^\n]*\}}$\n?", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a message. `event` is None for the prompt's own words."""

    text: str
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class PartShown:
    """One part. `cached`: the provider may keep all up to its end. `file` describes a file."""

    segments: Sequence[Segment]
    cached: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class MessageShown:
    role: str
    parts: Sequence[PartShown]


@dataclass(slots=True)
class _Span:
    """A stretch of a part that some event may have written."""

    start: int
    end: int
    key: str
    event: Event | None = None


def messages_shown(messages: Sequence[Message], events: Sequence[Event]) -> list[MessageShown]:
    """Each part joins to its very text again."""
    known = _renderings(events)
    spans = [[list(_spans(part, known)) for part in message.parts] for message in messages]
    _name([span for parts in spans for part in parts for span in part], known)
    return [
        MessageShown(
            message.role, [_part(p, found) for p, found in zip(message.parts, parts, strict=True)]
        )
        for message, parts in zip(messages, spans, strict=True)
    ]


def _renderings(events: Sequence[Event]) -> dict[str, list[Event]]:
    """What each event reads like, in each form; oldest first."""
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        for text in _forms(event):
            found[text.removesuffix("\n")].append(event)
    return found


def _forms(event: Event) -> Iterator[str]:
    if tagged := render_event(event):
        yield tagged
        yield render_json([event])
        shown = view(event)
        if event.type == "next_step_chosen" and shown is not None and isinstance(shown[1], dict):
            body = cast("dict[str, Json]", shown[1])
            yield json_text({"intent": shown[0], **body})  # as the assistant's own message


def _spans(part: Part, known: dict[str, list[Event]]) -> Iterator[_Span]:
    at = 0
    while (found := _PIECE.search(part.text, at)) is not None:
        key = found[0].removesuffix("\n")
        if label := found["label"]:
            key = key.replace(label, "", 1)
        if key in known:
            yield _Span(found.start(), found.end(), key)
            at = found.end()
        else:  # a tag of the prompt's own may stand around events
            at = found.start() + 1


def _name(spans: list[_Span], known: dict[str, list[Event]]) -> None:
    """From the newest back: each is the newest event that reads so and is older than the last."""
    before: int | None = None
    for span in reversed(spans):
        fits = [e for e in known[span.key] if before is None or e.seq < before]
        if fits:
            span.event = fits[-1]
            before = fits[-1].seq


def _part(part: Part, spans: Sequence[_Span]) -> PartShown:
    if isinstance(part, FilePart):
        return PartShown((), part.cache, f"{part.name}, {part.media_type}, {part.sha256}")
    return PartShown(list(_cut(part.text, spans)), part.cache)


def _cut(text: str, spans: Sequence[_Span]) -> Iterator[Segment]:
    at = 0
    for span in spans:
        if span.start > at:
            yield Segment(text[at : span.start])
        yield Segment(text[span.start : span.end], span.event)
        at = span.end
    if at < len(text):
        yield Segment(text[at:])
