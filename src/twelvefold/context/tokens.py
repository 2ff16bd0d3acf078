"""How many tokens a text is, estimated offline and without a vocabulary.

A text is cut where the tokenizers of today cut before they merge: a word with the sign in front of
it, up to three digits, a run of signs, white space. Each piece costs what such pieces cost on
average in o200k; `docs/context.md` says how far off that is. `calibrate` mends what is left.
"""

import re
from functools import lru_cache
from math import ceil

PIECE_CHARS_MAX = 64
"""A longer run is counted in pieces, so that no text makes the memory of pieces grow."""


def estimate(text: str) -> int:
    """Tokens of a text, rounded up. A few per cent off for English, markup, logs, ids and code."""
    return ceil(sum(map(_cost, _PIECE.findall(text))))


_SIGN = r"(?:[^\w\r\n]|_)"
_UPPER, _LOWER = "A-Z\u00c0-\u00de", "a-z\u00df-\u024f\u1e00-\u1eff"
_PIECE = re.compile(
    rf"""
      (?=[A-Za-z]{{0,9}}[0-9]{{1,9}}[A-Za-z]{{1,9}}[0-9]
        |[0-9]{{0,9}}[A-Za-z]{{1,9}}[0-9]{{1,9}}[A-Za-z])[A-Za-z0-9]{{6,{PIECE_CHARS_MAX}}}  # an id
    | {_SIGN}?[{_UPPER}]{{0,{PIECE_CHARS_MAX}}}[{_LOWER}]{{1,{PIECE_CHARS_MAX}}}
    | {_SIGN}?[{_UPPER}]{{1,{PIECE_CHARS_MAX}}}
    | [0-9]{{1,3}}
    | {_SIGN}?[^\W0-9_]{{1,{PIECE_CHARS_MAX}}}
    | \s{{0,{PIECE_CHARS_MAX}}}[\r\n]
    | \s{{1,{PIECE_CHARS_MAX}}}(?!\S)
    | [ ]?[^\s\w]{{1,{PIECE_CHARS_MAX}}}[\r\n/]?
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


@lru_cache(maxsize=1 << 14)
def _cost(piece: str) -> float:
    letters = sum(map(str.isalpha, piece))
    if not piece.isascii():
        return _cost_beyond_ascii(piece, letters)
    if letters == 0:
        return 1.0 if len(piece) < 4 or piece.isspace() else 1.0 + 0.35 * (len(piece) - 3)
    lower = sum(map(str.islower, piece))
    if piece[-1].isdigit() or piece[0].isdigit() or letters < len(piece) - 1:
        return len(piece) * (0.58 if lower in (0, letters) else 0.68)  # an id: no words in it
    if letters - lower > 1:  # capitals
        return 1.0 + 0.15 * (letters - 1) if not lower else 0.55 * letters + 0.4
    if piece[0] == " ":
        return 1.0 + 0.03 * max(0, letters - 6)
    return 1.0 + (0.07 if piece[0].isalpha() else 0.1) * max(0, letters - 4)


def _cost_beyond_ascii(piece: str, letters: int) -> float:
    if letters and all(char <= _LATIN_LAST for char in piece):
        return max(1.0, (0.36 if max(piece) <= "\u00ff" else 0.45) * letters)
    return sum(next(cost for last, cost in _COSTS if char <= last) for char in piece)


_LATIN_LAST = "\u024f"
_COSTS = (
    ("\x7f", 0.24),
    ("\u024f", 0.45),  # Latin with accents, in no word
    ("\u03ff", 0.31),  # Greek
    ("\u052f", 0.27),  # Cyrillic
    ("\u05ff", 0.45),  # Hebrew
    ("\u0dff", 0.31),  # Arabic to Sinhala
    ("\u2fff", 0.42),  # Thai to Khmer; signs such as dashes
    ("\u9fff", 0.67),  # Chinese and Japanese
    ("\ud7ff", 0.60),  # Korean
    ("\uffff", 1.0),
    ("\U0010ffff", 1.8),  # emoji and rare signs
)
"""Tokens per character up to and including the one named."""
