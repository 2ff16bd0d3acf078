"""A notice as lines of text, for a terminal and for plain mail. Nothing of it is cut."""

import re
from collections.abc import Mapping
from datetime import datetime

from twelvefold.notices.notice import Notice
from twelvefold.notices.visible import visible
from twelvefold.thread import Json, to_text

GUTTER = "| "
"""Begins each line of a text of several lines, so that none can pass for a line of ours."""


def as_lines(notice: Notice, *, now: datetime) -> list[str]:
    """What, each argument, risk, deadline, who asks whom, and what arrived since."""
    lines = [f"{visible(notice.agent)} {visible(notice.wish)}    {notice.dates(now)}"]
    if notice.question:
        lines += _quoted(notice.question)
    if notice.args or notice.kind != "question":
        lines += argument_lines(dict(notice.args))
    for name, text in notice.why:
        lines += [f"  {name} (AI, nobody checked it):", *_quoted(text)]
    lines += [f"  option  {visible(name)}: {visible(title)}" for name, title in notice.options]
    lines.append(f"  asked of {visible(notice.asked_of)}, chosen by {visible(notice.chooser)}")
    if notice.since:
        lines.append("  ! arrived after this was asked:")
        lines += [
            f"      {seq}  {visible(who)}: {visible(text)}" for seq, who, text in notice.since
        ]
    return lines


def argument_lines(args: Mapping[str, Json]) -> list[str]:
    """Each argument in full. Nested values are JSON, texts of several lines have a gutter."""
    names = {name: visible(name) for name in args}
    width = max(map(len, names.values()), default=0)
    lines: list[str] = []
    for name, value in args.items():
        parts = value_lines(value)
        lines.append(f"      {names[name]:<{width}}  {parts[0]}")
        lines += [" " * (width + 8) + part for part in parts[1:]]
    return lines or ["      (no arguments)"]


def value_lines(value: Json) -> list[str]:
    """One argument, made visible; a text of several lines has a gutter."""
    if not isinstance(value, str):
        return [visible(to_text(value))]
    if "\n" in value:
        return [GUTTER + visible(line) for line in value.split("\n")]
    return [visible(quoted_where_needed(value))]


def quoted_where_needed(text: str) -> str:
    """In quotes where the text alone would hide its ends, or pass for another kind of value."""
    plain = text and text == text.strip() and not _LOOKS_LIKE_JSON.fullmatch(text)
    return text if plain else to_text(text)


_LOOKS_LIKE_JSON = re.compile(r"null|true|false|-?[0-9].*|[\[{\"|].*", re.DOTALL)


def _quoted(text: str) -> list[str]:
    return [f"  {GUTTER}{visible(line)}" for line in text.split("\n")]
