"""A view as `<tag>`, its YAML body and `</tag>`, and the way back.

Words from outside bear where they came from: `<tag untrusted="email:bob@example.com">`.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from twelvefold.context.body import UNSEEN_CHAR, from_yaml, to_yaml
from twelvefold.context.shown import View
from twelvefold.encoding import from_text, to_text
from twelvefold.exceptions import NotRendered
from twelvefold.tags import OPENS_TAG, escape, unescape
from twelvefold.thread import Event

Source = Callable[[Event], str | None]
"""Who outside wrote what is in an event, as a short name; None for nobody outside."""


class Piece(NamedTuple):
    """What is shown of one event. `source`: who outside wrote it, None for nobody."""

    view: View
    source: str | None = None


def tagged(piece: Piece) -> str:
    tag, body = piece.view
    label = "" if piece.source is None else f" untrusted={json_text(piece.source)}"
    return f"<{tag}{label}>\n{escape(to_yaml(body))}</{tag}>\n"


def pieces_of(text: str) -> Iterator[Piece]:
    """The inverse of `tagged`, one after another. Raises `NotRendered` for any other text."""
    at = 0
    while at < len(text):
        found = _RENDERED.match(text, at)
        if found is None:
            raise NotRendered(f"no rendered event begins at character {at}: {text[at : at + 40]!r}")
        source = None if found[2] is None else from_text(found[2])
        yield Piece((found[1], from_yaml(unescape(found[3]))), source)
        at = found.end()


_LABEL = r'"(?:[^"\\\n]|\\.)*"'
_RENDERED = re.compile(
    rf"<([a-z_][a-z0-9_]*)(?: untrusted=({_LABEL}))?>\n(.*?\n)</\1>\n", re.DOTALL
)


def json_text(value: object) -> str:
    """JSON in which nothing opens or closes a tag, nothing is unseen, and no line ends."""
    return _NOT_AS_IT_IS.sub(_code, to_text(value))


def _code(found: re.Match[str]) -> str:
    """As UTF-16, which is how JSON escapes what lies beyond four digits."""
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


_NOT_AS_IT_IS = re.compile(rf"{OPENS_TAG.pattern}|{UNSEEN_CHAR.pattern}")
