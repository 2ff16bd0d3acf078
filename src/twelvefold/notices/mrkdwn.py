"""A notice in Slack's mrkdwn, in pieces that Slack takes. Nothing is cut without saying so.

Data stands in code blocks, where Slack reads no emphasis, no link and no name; `&`, `<` and `>` are
escaped as its documentation says, so that `<!channel>` calls nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from twelvefold.notices.lines import as_lines
from twelvefold.notices.notice import Notice

SECTION_CHARS_MAX = 3000
"""Of the text of one section block (docs.slack.dev, section block)."""
SECTIONS_MAX = 40
"""Slack takes 50 blocks; the rest is for buttons and a title."""

_FENCE = "```\n{}\n```"
_ROOM = SECTION_CHARS_MAX - len(_FENCE)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "\\x60"}


@dataclass(frozen=True, slots=True)
class Sections:
    """Texts of section blocks. Where they are not `whole`, the last one says how much is missing:
    then nobody may decide by a button below them."""

    texts: tuple[str, ...]
    whole: bool


def as_mrkdwn(notice: Notice, *, now: datetime) -> Sections:
    """The lines of `as_lines` as code blocks of at most SECTION_CHARS_MAX characters."""
    lines = [part for line in as_lines(notice, now=now) for part in _pieces(line)]
    groups = list(_grouped(lines))
    if len(groups) <= SECTIONS_MAX:
        return Sections(tuple(map(_fenced, groups)), whole=True)
    shown, rest = groups[: SECTIONS_MAX - 1], groups[SECTIONS_MAX - 1 :]
    said = f"{sum(map(len, rest))} more lines do not fit here. Decide where all of it is shown."
    return Sections((*map(_fenced, shown), said), whole=False)


def _pieces(line: str) -> Iterator[str]:
    """A line, escaped, in as many lines as have room; a backslash says that it goes on."""
    room = _ROOM - 1
    piece = ""
    for char in line:
        escaped = _ENTITIES.get(char, char)
        if len(piece) + len(escaped) > room:
            yield piece + "\\"
            piece = ""
        piece += escaped
    yield piece


def _grouped(lines: Sequence[str]) -> Iterator[list[str]]:
    group: list[str] = []
    chars = 0
    for line in lines:
        if group and chars + len(line) + 1 > _ROOM:
            yield group
            group, chars = [], 0
        group.append(line)
        chars += len(line) + 1
    yield group


def _fenced(lines: Sequence[str]) -> str:
    return _FENCE.format("\n".join(lines))
