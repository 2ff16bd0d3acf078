"""The context as JSON lines: one object per event, `{"<tag>": body}`, and the way back.

Words from outside bear a second key, `"untrusted"`, with where they came from. Content stands in
JSON strings, in which no line can end, and a `<` that could open a tag is written `\\u003c`.
"""

import json
import re
from collections.abc import Iterator

from twelvefold.context.tagged import Piece, json_text
from twelvefold.encoding import from_text
from twelvefold.exceptions import NotRendered


def line(piece: Piece) -> str:
    tag, body = piece.view
    label = "" if piece.source is None else f',"untrusted":{json_text(piece.source)}'
    return f'{{"{tag}":{json_text(body)}{label}}}\n'


def pieces_of(text: str) -> Iterator[Piece]:
    """The inverse of `line`, one after another. Raises `NotRendered` for any other text."""
    *lines, rest = text.split("\n")
    if rest:
        raise NotRendered(f"a line does not end: {rest[:40]!r}")
    yield from map(_piece, lines)


def _piece(one: str) -> Piece:
    begins = _BEGINS.match(one)
    try:
        body, at = _DECODER.raw_decode(one, begins.end() if begins else len(one))
        ends = _ENDS.fullmatch(one, at)
        source = None if ends is None or ends[1] is None else from_text(ends[1])
    except (ValueError, RecursionError) as error:
        raise NotRendered(f"no rendered event: {one[:40]!r}") from error
    if begins is None or ends is None:
        raise NotRendered(f"no rendered event: {one[:40]!r}")
    return Piece((begins[1], body), source)


_DECODER = json.JSONDecoder()
_BEGINS = re.compile(r'\{"([a-z_][a-z0-9_]*)":')
_ENDS = re.compile(r'(?:,"untrusted":(".*"))?\}')
